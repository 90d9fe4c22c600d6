{{/* Destroy the group with all its members */}}
{{/* =% sh %= */}}
{{ $name := flag "name" "string" "Name of the group" "web" }}
{{ $ok   := flag "yes" "bool" "Do it without asking" | prompt (cat "Destroy" $name "with all its members?") "bool" "no" }}
{{ if $ok }}
infrakit group destroy {{ $name }}
{{ else }}
echo "{{ $name }} stays"
{{ end }}
