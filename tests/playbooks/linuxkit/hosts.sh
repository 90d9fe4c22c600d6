{{/* =% sh %= */}}
{{ $path := list (env "INFRAKIT_HOME") "hosts" | join "/" }}
{{ $hosts := include (cat "file://" $path | nospace) | yamlDecode }}
{{ $entry := flag "address" "string" "Address" "127.0.0.1:24864" }}
{{ $_ := set $hosts "gcp" $entry }}
{{ $hosts | yamlEncode | file $path }}
echo "{{ $hosts | jsonEncode }}" | tr -d ' '
