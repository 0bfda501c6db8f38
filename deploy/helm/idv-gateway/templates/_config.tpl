{{/* The gateway's configuration: what the values say, and what the chart fills in. */}}

{{- define "idv-gateway.secrets" -}}/var/run/secrets/idv{{- end -}}

{{/* "true" if the gateway shows Vault a token that the chart mounts. */}}
{{- define "idv-gateway.mountsVaultToken" -}}
{{- $auth := dig "vault" "auth" (dict) .Values.config | default dict -}}
{{- range $method := list "kubernetes" "jwt" -}}
{{- with get $auth $method -}}
{{- if not .jwt_file -}}true{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "idv-gateway.config" -}}
{{- $secrets := include "idv-gateway.secrets" . -}}
{{- $config := deepCopy .Values.config -}}

{{- $listen := dict
  "grpc" (list (printf "%s:%s" .Values.listen.host (include "idv-gateway.port" .)))
  "admin" "0.0.0.0:9090" -}}
{{- if .Values.listen.insecure -}}
{{- $_ := set $listen "insecure" true -}}
{{- else -}}
{{- $tls := dict "cert_file" (printf "%s/tls/tls.crt" $secrets) "key_file" (printf "%s/tls/tls.key" $secrets) -}}
{{- if .Values.listen.tls.clientCa.enabled -}}
{{- $_ := set $tls "client_ca_file" (printf "%s/tls/ca.crt" $secrets) -}}
{{- end -}}
{{- $_ := set $listen "tls" $tls -}}
{{- end -}}
{{- $_ := set $config "listen" (merge $listen ($config.listen | default dict)) -}}

{{- $tenants := list -}}
{{- range $config.tenants -}}
{{- if hasKey $.Values.apiKeys .name -}}
{{- $_ := set . "api_key" (dict "file" (printf "%s/keys/%s" $secrets .name)) -}}
{{- end -}}
{{- $tenants = append $tenants . -}}
{{- end -}}
{{- $_ := set $config "tenants" $tenants -}}

{{- if include "idv-gateway.mountsVaultToken" . -}}
{{- range $method, $login := $config.vault.auth -}}
{{- $_ := set $login "jwt_file" (printf "%s/vault/token" $secrets) -}}
{{- end -}}
{{- end -}}

{{- if .Values.redis.address -}}
{{- $redis := dict "address" .Values.redis.address "tls" .Values.redis.tls.enabled -}}
{{- if .Values.redis.existingSecret -}}
{{- $_ := set $redis "password_file" (printf "%s/redis/password" $secrets) -}}
{{- end -}}
{{- if .Values.redis.tls.caSecret -}}
{{- $_ := set $redis "ca_file" (printf "%s/redis/ca.crt" $secrets) -}}
{{- end -}}
{{- if .Values.redis.tls.clientSecret -}}
{{- $_ := set $redis "cert_file" (printf "%s/redis/tls.crt" $secrets) -}}
{{- $_ := set $redis "key_file" (printf "%s/redis/tls.key" $secrets) -}}
{{- end -}}
{{- $_ := set $config "budget" (merge (dict "redis" $redis) ($config.budget | default dict)) -}}
{{- end -}}

{{- toYaml $config -}}
{{- end -}}

{{/* A file of the chart's with links that lead out of it. Call with the root and the file's path. */}}
{{- define "idv-gateway.fileWithLinks" -}}
{{- $root := index . 0 -}}
{{- $root.Files.Get (index . 1) | replace "deploy/README.md#" (printf "%sdeploy/README.md#" $root.Values.metrics.runbookBase) -}}
{{- end -}}

{{/* What the gateway takes at once: of gateway/config_change.cc. A test compares them. */}}
{{- define "idv-gateway.liveKeys" -}}
- tenants
- callers
- drain
- log
- metrics
- admin
- tracing.sample_ratio
- tracing.propagate_upstream
- budget.queue
- retry
- breaker
- cache.join_reads
- cache.verification
- cache.reference.fresh
- cache.reference.stale
- cache.reference.stale_if_error
- limits.default_deadline
- limits.max_deadline
- limits.max_in_flight
- limits.max_in_flight_per_tenant
- limits.max_in_flight_per_caller
- limits.upload_memory
- limits.frames
- limits.stream_bytes
- limits.frame_idle
- limits.upstream_stall
{{- end -}}

{{/* Changes when pods have to be replaced for the configuration's sake. */}}
{{- define "idv-gateway.configChecksum" -}}
{{- $ignored := ternary (list) (include "idv-gateway.liveKeys" . | fromYamlArray) .Values.restartOnEveryConfigChange -}}
{{- $config := include "idv-gateway.config" . | fromYaml -}}
{{- include "idv-gateway.leaves" (dict "node" $config "path" "" "ignored" $ignored) | sha256sum -}}
{{- end -}}

{{/* The values below a node with their paths, but for those to ignore: so it makes no difference whether an empty node is there. */}}
{{- define "idv-gateway.leaves" -}}
{{- range $key, $value := .node -}}
{{- $path := trimPrefix "." (printf "%s.%s" $.path $key) -}}
{{- if has $path $.ignored -}}
{{- else if kindIs "map" $value -}}
{{- include "idv-gateway.leaves" (dict "node" $value "path" $path "ignored" $.ignored) -}}
{{- else -}}
{{- printf "%s=%s\n" $path (toJson $value) -}}
{{- end -}}
{{- end -}}
{{- end -}}
