{{/* =% sh %= */}}
echo instances
