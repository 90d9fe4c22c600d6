{{ $gcp := flag "start-gcp" "bool" "Start it" | prompt "Start GCP?" "bool" "no" }}
{{ $zone := flag "zone" "string" "Zone" | cond $gcp | prompt "Zone?" "string" "us-central1-f" }}
{{ if $gcp }}
echo "gcp of {{ var `/project` }} in {{ $zone }}"
{{ end }}
