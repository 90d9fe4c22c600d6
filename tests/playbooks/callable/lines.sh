{{/* =% sh "-s" "--"  %= */}}
{{ $lines := flag "lines" "int" "the number of lines" 5 }}
{{ $word := param "word" "string" "the word" "line" }}
{{ range $i := loop $lines }}
echo {{ $word }} {{ $i }} "$@"
{{ end }}
