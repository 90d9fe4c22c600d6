{{/* =% sh %= */}}
echo started
