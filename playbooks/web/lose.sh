{{/* Destroy one member behind the back of the group, to see it heal */}}
{{/* =% sh %= */}}
{{ $name   := flag "name" "string" "Name of the group" "web" }}
{{ $plugin := flag "plugin" "string" "Instance plugin that the group uses" "file" }}
set -e
member=$(infrakit group describe -q {{ $name }} | awk 'NR == 1 { print $1 }')
test -n "$member" || { echo "{{ $name }} has no member" >&2; exit 1; }
infrakit local {{ $plugin }} destroy "$member"
echo "the group notices within seconds: infrakit group describe {{ $name }}"
