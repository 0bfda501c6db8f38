{{/* Refuses values that contradict each other, with all that is wrong. What one value alone may be, values.schema.json says;
     what the gateway can tell by itself (--check), it tells. */}}
{{- define "idv-gateway.checks" -}}
{{- $config := .Values.config -}}
{{- $problems := list -}}

{{/* Who is known, and how. */}}
{{- $tls := .Values.listen.tls -}}
{{- $jwt := dig "authentication" "jwt" (list) $config -}}
{{- $asksClients := and (not .Values.listen.insecure) $tls.clientCa.enabled -}}
{{- if and .Values.listen.insecure $tls.existingSecret -}}
{{- $problems = append $problems "listen.insecure contradicts listen.tls.existingSecret" -}}
{{- end -}}
{{- if not (or .Values.listen.insecure $tls.existingSecret) -}}
{{- $problems = append $problems
  "listen.tls.existingSecret: expected the name of a Secret with a certificate (or listen.insecure, behind a mesh)" -}}
{{- end -}}
{{- if and .Values.listen.insecure (not $jwt) -}}
{{- $problems = append $problems "listen.insecure needs config.authentication.jwt: nobody would be known" -}}
{{- end -}}
{{- if and (not .Values.listen.insecure) (not $tls.clientCa.enabled) (not $jwt) -}}
{{- $problems = append $problems
  "listen.tls.clientCa.enabled: false needs config.authentication.jwt: nobody would be known" -}}
{{- end -}}
{{- if and (dig "authentication" "mtls" "" $config) (not $asksClients) -}}
{{- $problems = append $problems
  "config.authentication.mtls needs listen.tls.clientCa: no client is asked for a certificate" -}}
{{- end -}}
{{- if and $tls.clientCa.existingSecret $tls.clientCa.existingConfigMap -}}
{{- $problems = append $problems "listen.tls.clientCa: existingSecret contradicts existingConfigMap" -}}
{{- end -}}
{{- if not $config.callers -}}
{{- $problems = append $problems "config.callers: expected at least one: who is not named there is refused" -}}
{{- end -}}
{{- range $config.callers -}}
{{- if eq .identity "local" -}}
{{- $problems = append $problems
  "config.callers: nobody is 'local': that comes by a unix socket or loopback, and there is neither" -}}
{{- end -}}
{{- end -}}
{{- if not (dig "upstream" "base_url" "" $config) -}}
{{- $problems = append $problems "config.upstream.base_url: expected the URL of the vendor's API" -}}
{{- end -}}

{{/* Keys. */}}
{{- if not $config.tenants -}}
{{- $problems = append $problems "config.tenants: expected at least one" -}}
{{- end -}}
{{- $names := list -}}
{{- range $config.tenants -}}
{{- $names = append $names .name -}}
{{- $hasKey := hasKey $.Values.apiKeys .name -}}
{{- if and $hasKey .api_key -}}
{{- $problems = append $problems
  (printf "config.tenants: %s has an api_key, which contradicts apiKeys.%s" .name .name) -}}
{{- else if not (or $hasKey .api_key) -}}
{{- $problems = append $problems
  (printf "config.tenants: %s has no key: expected apiKeys.%s, or an api_key from vault" .name .name) -}}
{{- end -}}
{{- if and (dig "vault" "" (.api_key | default dict)) (not $config.vault) -}}
{{- $problems = append $problems (printf "config.tenants: the api_key of %s needs config.vault" .name) -}}
{{- end -}}
{{- end -}}
{{- if ne (len $names) (len (uniq $names)) -}}
{{- $problems = append $problems "config.tenants: two have the same name" -}}
{{- end -}}
{{- range $name, $key := .Values.apiKeys -}}
{{- if not (has $name $names) -}}
{{- $problems = append $problems (printf "apiKeys.%s: no tenant of config.tenants is called so" $name) -}}
{{- end -}}
{{- if and $key.existingSecret $key.value -}}
{{- $problems = append $problems (printf "apiKeys.%s: existingSecret contradicts value" $name) -}}
{{- else if not (or $key.existingSecret $key.value) -}}
{{- $problems = append $problems (printf "apiKeys.%s: expected existingSecret or value" $name) -}}
{{- end -}}
{{- end -}}
{{- with .Values.redis -}}
{{- if and (or .existingSecret .tls.caSecret .tls.clientSecret) (not .address) -}}
{{- $problems = append $problems "redis: its Secrets need redis.address" -}}
{{- end -}}
{{- if and (or .tls.caSecret .tls.clientSecret) (not .tls.enabled) -}}
{{- $problems = append $problems "redis.tls: caSecret and clientSecret contradict enabled: false" -}}
{{- end -}}
{{- end -}}

{{- with dig "cache" "reference" "snapshot_dir" "" $config -}}
{{- $directory := printf "%s/" . -}}
{{- $isMounted := false -}}
{{- range $mount := $.Values.extraVolumeMounts -}}
{{- if hasPrefix (printf "%s/" (trimSuffix "/" $mount.mountPath)) $directory -}}
{{- $isMounted = true -}}
{{- end -}}
{{- end -}}
{{- if not $isMounted -}}
{{- $problems = append $problems
  "config.cache.reference.snapshot_dir: no volume of extraVolumeMounts is there, and nothing else can be written to" -}}
{{- end -}}
{{- end -}}

{{/* How it ends, and how much it takes. */}}
{{- range $key := list "settle" "unary_grace" "stream_grace" -}}
{{- if not (get ($config.drain | default dict) $key) -}}
{{- $problems = append $problems (printf "config.drain.%s: expected a duration, as \"5s\"" $key) -}}
{{- end -}}
{{- end -}}
{{- range $key := list "max_message" "max_image" "upload_memory" -}}
{{- if not (get ($config.limits | default dict) $key) -}}
{{- $problems = append $problems (printf "config.limits.%s: expected a size, as \"8MiB\"" $key) -}}
{{- end -}}
{{- end -}}
{{- $grace := include "idv-gateway.grace" . | int64 -}}
{{- with .Values.terminationGracePeriodSeconds -}}
{{- if lt (int64 .) $grace -}}
{{- $problems = append $problems
  (printf "terminationGracePeriodSeconds: %d cuts calls off: preStop and config.drain take up to %d" (int64 .) $grace) -}}
{{- end -}}
{{- end -}}
{{- if eq (include "idv-gateway.shards" .) "0" -}}
{{- $problems = append $problems
  "config.shards: expected a number, since there is no resources.limits.cpu: it would be half of the node's processors" -}}
{{- end -}}
{{- $memory := include "idv-gateway.memory" . | int64 -}}
{{- with dig "limits" "memory" "" .Values.resources -}}
{{- if lt (include "idv-gateway.bytes" . | int64) (mul $memory 1048576) -}}
{{- $problems = append $problems
  (printf "resources.limits.memory: %s is less than the %dMi that the gateway may use; lower config.limits.upload_memory, or leave it out"
    . $memory) -}}
{{- end -}}
{{- end -}}

{{/* How many. */}}
{{- with .Values.autoscaling -}}
{{- if and .enabled (gt (int64 .minReplicas) (int64 .maxReplicas)) -}}
{{- $problems = append $problems "autoscaling.minReplicas: expected at most maxReplicas" -}}
{{- end -}}
{{- if and .enabled (eq 0 (int (add .cpuUtilization .callsInFlight))) -}}
{{- $problems = append $problems "autoscaling: expected cpuUtilization or callsInFlight" -}}
{{- end -}}
{{- if and .enabled (int .cpuUtilization) (not (dig "requests" "cpu" "" $.Values.resources)) -}}
{{- $problems = append $problems "autoscaling.cpuUtilization needs resources.requests.cpu" -}}
{{- end -}}
{{- end -}}
{{- with .Values.podDisruptionBudget -}}
{{- $hasMax := ne (toString .maxUnavailable) "" -}}
{{- $hasMin := ne (toString .minAvailable) "" -}}
{{- if and .enabled (eq $hasMax $hasMin) -}}
{{- $problems = append $problems
  "podDisruptionBudget: expected one of maxUnavailable and minAvailable, and \"\" for the other" -}}
{{- end -}}
{{- end -}}
{{- $unavailable := toString .Values.strategy.maxUnavailable | trimSuffix "%" -}}
{{- $surge := toString .Values.strategy.maxSurge | trimSuffix "%" -}}
{{- if and (eq $unavailable "0") (eq $surge "0") -}}
{{- $problems = append $problems "strategy: with maxSurge and maxUnavailable 0 no pod can be replaced" -}}
{{- end -}}
{{- with .Values.tests.verify -}}
{{- if and .enabled (not $.Values.listen.insecure) (not .tlsSecret) -}}
{{- $problems = append $problems
  "tests.verify.tlsSecret: expected the name of a Secret, since the gateway speaks TLS" -}}
{{- end -}}
{{- if and .enabled $.Values.listen.insecure (not .tokenAudience) -}}
{{- $problems = append $problems
  "tests.verify.tokenAudience: expected an audience, since callers are known by tokens only" -}}
{{- end -}}
{{- if and .enabled $.Values.listen.insecure .tlsSecret -}}
{{- $problems = append $problems "tests.verify.tlsSecret contradicts listen.insecure" -}}
{{- end -}}
{{- end -}}

{{- if $problems -}}
{{- fail (printf "\nThe values of idv-gateway cannot be used:\n- %s\n" (join "\n- " $problems)) -}}
{{- end -}}
{{- end -}}
