#!/bin/bash
{{/* Compare what is there with what is wanted */}}
{{/* =% sh %= */}}
{{ $have := fetch "tool.bin" | sha256sum }}
{{ $dir := list (env "HOME") "bin" | join "/" }}
echo {{ $have }}
echo {{ $dir }}
