{{/* Destroy the quorum with all its members */}}
{{/* =% sh %= */}}
{{ $name := flag "name" "string" "Name of the group" "quorum" }}
{{ $ok   := flag "yes" "bool" "Do it without asking" | prompt (cat "Destroy" $name "with all its members?") "bool" "no" }}
{{ if $ok }}
infrakit group destroy {{ $name }}
{{ else }}
echo "{{ $name }} stays"
{{ end }}
