{{/* =% sh %= */}}
{{ $project := flag "project" "string" "Project" | prompt "Project?" "string" "testproject" }}
{{ var "/project" $project }}
{{ source "start-gcp.sh" }}
cat <<EOF
{{ source "config.json" }}
EOF
