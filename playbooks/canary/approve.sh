{{/* Approve of the canary: the others follow */}}
{{/* =% sh %= */}}
{{ $name := flag "name" "string" "Name of the group" "web" }}
{{ $wait := flag "wait" "duration" "How long to wait for the end of the rollout" "2m" }}
set -e
infrakit group rollout approve {{ $name }}
infrakit group rollout status {{ $name }} --watch --timeout {{ $wait }}
