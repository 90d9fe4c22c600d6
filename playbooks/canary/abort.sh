{{/* Disapprove of the canary: go back to the version before */}}
{{/* =% sh %= */}}
{{ $name := flag "name" "string" "Name of the group" "web" }}
set -e
infrakit group rollout abort {{ $name }}
infrakit group rollout rollback {{ $name }}
