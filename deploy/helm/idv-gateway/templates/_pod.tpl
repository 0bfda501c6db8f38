{{/* What the gateway's pods and those of `helm test` have in common. */}}

{{- define "idv-gateway.podSecurityContext" -}}
runAsNonRoot: true
{{- with .Values.runAsUser }}
runAsUser: {{ int64 . }}
runAsGroup: {{ int64 . }}
# So that it may read the mounted files, which nobody else can.
fsGroup: {{ int64 . }}
{{- end }}
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "idv-gateway.securityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{- define "idv-gateway.volumeMounts" -}}
{{- $secrets := include "idv-gateway.secrets" . -}}
- name: config
  mountPath: /etc/idv-gateway
  readOnly: true
{{- if not .Values.listen.insecure }}
- name: tls
  mountPath: {{ $secrets }}/tls
  readOnly: true
{{- end }}
{{- if .Values.apiKeys }}
- name: keys
  mountPath: {{ $secrets }}/keys
  readOnly: true
{{- end }}
{{- if include "idv-gateway.mountsVaultToken" . }}
- name: vault
  mountPath: {{ $secrets }}/vault
  readOnly: true
{{- end }}
{{- if or .Values.redis.existingSecret .Values.redis.tls.caSecret .Values.redis.tls.clientSecret }}
- name: redis
  mountPath: {{ $secrets }}/redis
  readOnly: true
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "idv-gateway.volumes" -}}
- name: config
  configMap:
    name: {{ include "idv-gateway.fullname" . }}
{{- if not .Values.listen.insecure }}
{{- with .Values.listen.tls }}
- name: tls
  projected:
    defaultMode: 0440
    sources:
      - secret:
          name: {{ .existingSecret }}
          items:
            - {key: {{ .certKey | quote }}, path: tls.crt}
            - {key: {{ .keyKey | quote }}, path: tls.key}
      {{- with .clientCa }}
      {{- if .enabled }}
      - {{ ternary "configMap" "secret" (ne .existingConfigMap "") }}:
          name: {{ coalesce .existingConfigMap .existingSecret $.Values.listen.tls.existingSecret }}
          items:
            - {key: {{ .key | quote }}, path: ca.crt}
      {{- end }}
      {{- end }}
{{- end }}
{{- end }}
{{- if .Values.apiKeys }}
- name: keys
  projected:
    defaultMode: 0440
    sources:
      {{- range $tenant, $key := .Values.apiKeys }}
      - secret:
          name: {{ $key.existingSecret | default (printf "%s-api-keys" (include "idv-gateway.fullname" $)) }}
          items:
            - key: {{ ternary ($key.key | default "api_key") $tenant (not (empty $key.existingSecret)) | quote }}
              path: {{ $tenant | quote }}
      {{- end }}
{{- end }}
{{- if include "idv-gateway.mountsVaultToken" . }}
- name: vault
  projected:
    defaultMode: 0440
    sources:
      - serviceAccountToken:
          audience: {{ .Values.vaultToken.audience | quote }}
          expirationSeconds: {{ int64 .Values.vaultToken.expirationSeconds }}
          path: token
{{- end }}
{{- if or .Values.redis.existingSecret .Values.redis.tls.caSecret .Values.redis.tls.clientSecret }}
- name: redis
  projected:
    defaultMode: 0440
    sources:
      {{- with .Values.redis.existingSecret }}
      - secret:
          name: {{ . }}
          items:
            - {key: {{ $.Values.redis.passwordKey | quote }}, path: password}
      {{- end }}
      {{- with .Values.redis.tls.caSecret }}
      - secret:
          name: {{ . }}
          items:
            - {key: {{ $.Values.redis.tls.caKey | quote }}, path: ca.crt}
      {{- end }}
      {{- with .Values.redis.tls.clientSecret }}
      - secret:
          name: {{ . }}
          items:
            - {key: tls.crt, path: tls.crt}
            - {key: tls.key, path: tls.key}
      {{- end }}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}
