{{/* Destroy one member behind the back of the quorum; its successor has its name */}}
{{/* =% sh %= */}}
{{ $name   := flag "name" "string" "Name of the group" "quorum" }}
{{ $member := flag "member" "string" "Name of the member" | prompt "Which member?" "string" "db-2" }}
{{ $plugin := flag "plugin" "string" "Instance plugin that the group uses" "file" }}
set -e
instance=$(infrakit group describe -q {{ $name }} | awk '$2 == "{{ $member }}" { print $1 }')
test -n "$instance" || { echo "{{ $name }} has no member {{ $member }}" >&2; exit 1; }
infrakit local {{ $plugin }} destroy "$instance"
