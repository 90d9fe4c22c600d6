{{/* Show the members of the quorum */}}
{{/* =% sh %= */}}
{{ $name := flag "name" "string" "Name of the group" "quorum" }}
infrakit group describe {{ $name }}
