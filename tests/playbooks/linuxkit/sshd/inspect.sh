{{/* =% sh %= */}}
{{ $d := include "data.json" | jsonDecode }}echo {{ $d.size }} {{ $d.name | default "none" }}
