{{/* Show the members of the group, and how far its rollout is */}}
{{/* =% sh %= */}}
{{ $name := flag "name" "string" "Name of the group" "web" }}
infrakit group describe {{ $name }}
infrakit group rollout status {{ $name }}
