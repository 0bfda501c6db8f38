{{/* Durations, sizes and addresses, and what follows from them. All give a whole number, as text.
     Numbers of the values are texts in some versions of Helm, so that a 0 is not empty: int64 comes before any question. */}}

{{/* "5s", "2m", "250ms", "1h", "7d", as the gateway reads them. 0 for what is none: the checks say so. */}}
{{- define "idv-gateway.milliseconds" -}}
{{- $text := toString . -}}
{{- if regexMatch "^[0-9]+(ms|s|m|h|d)$" $text -}}
{{- $units := dict "ms" 1 "s" 1000 "m" 60000 "h" 3600000 "d" 86400000 -}}
{{- mul (regexFind "^[0-9]+" $text | int64) (get $units (regexFind "[a-z]+$" $text)) -}}
{{- else -}}
0
{{- end -}}
{{- end -}}

{{/* "8MiB" of the gateway, or "512Mi", "1G" of Kubernetes. */}}
{{- define "idv-gateway.bytes" -}}
{{- $text := toString . | trimSuffix "B" -}}
{{- if regexMatch "^[0-9]+([.][0-9]+)?(k|M|G|T|Ki|Mi|Gi|Ti)?$" $text -}}
{{- $units := dict "" 1
  "k" 1000 "M" 1000000 "G" 1000000000 "T" 1000000000000
  "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 -}}
{{- mulf (regexFind "^[0-9.]+" $text | float64) (get $units (regexFind "[a-zA-Z]*$" $text)) | int64 -}}
{{- else -}}
0
{{- end -}}
{{- end -}}

{{/* Shards as the gateway makes them: one for every two processors, at least one. 0: as many as the node allows. */}}
{{- define "idv-gateway.shards" -}}
{{- $cpu := dig "limits" "cpu" "" .Values.resources | toString -}}
{{- $shards := int64 .Values.config.shards -}}
{{- if $shards -}}
{{- $shards -}}
{{- else if hasSuffix "m" $cpu -}}
{{- max 1 (div (add (trimSuffix "m" $cpu | int64) 999) 2000) -}}
{{- else if $cpu -}}
{{- max 1 (div (ceil (float64 $cpu) | int64) 2) -}}
{{- else -}}
0
{{- end -}}
{{- end -}}

{{/* The memory that the gateway may use, in MiB: see `resources` in values.yaml. */}}
{{- define "idv-gateway.memory" -}}
{{- $limits := .Values.config.limits | default dict -}}
{{- $message := add (include "idv-gateway.bytes" $limits.max_message) (include "idv-gateway.bytes" $limits.max_image) -}}
{{- $messages := mul (include "idv-gateway.shards" .) 8 $message -}}
{{- $bytes := add (include "idv-gateway.bytes" $limits.upload_memory) $messages -}}
{{- add 64 128 (div (add $bytes 1048575) 1048576) -}}
{{- end -}}

{{/* The least terminationGracePeriodSeconds, rounded up: see there in values.yaml. */}}
{{- define "idv-gateway.grace" -}}
{{- $drain := .Values.config.drain | default dict -}}
{{- $milliseconds := add (mul 1000 (int64 .Values.preStop.sleepSeconds)) 10000 -}}
{{- range $key := list "settle" "unary_grace" "stream_grace" -}}
{{- $milliseconds = add $milliseconds (include "idv-gateway.milliseconds" (get $drain $key)) -}}
{{- end -}}
{{- div (add $milliseconds 999) 1000 -}}
{{- end -}}

{{/* The port that the pods listen on. */}}
{{- define "idv-gateway.port" -}}
{{- ternary 8080 8443 .Values.listen.insecure -}}
{{- end -}}

{{/* The port of a URL, or of HOST:PORT. */}}
{{- define "idv-gateway.portOf" -}}
{{- $authority := regexReplaceAll "^[a-z]+://([^/]*).*$" . "${1}" -}}
{{- $port := regexFind ":[0-9]+$" $authority | trimPrefix ":" -}}
{{- $port | default (ternary 80 443 (hasPrefix "http:" .)) -}}
{{- end -}}

{{/* "true" if a URL leads nowhere but to the pod itself. */}}
{{- define "idv-gateway.isLoopback" -}}
{{- regexMatch "^[a-z]+://(127[.][0-9.]+|localhost|\\[::1\\])(:[0-9]+)?(/|$)" . -}}
{{- end -}}
