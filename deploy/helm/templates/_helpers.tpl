{{- /* The release, unless it is called like the chart. */ -}}
{{- define "chat.name" -}}
{{- ternary .Release.Name (printf "%s-%s" .Release.Name .Chart.Name) (contains .Chart.Name .Release.Name) | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- define "chat.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "chat.labels" -}}
{{ include "chat.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: chat
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "chat.image" -}}
{{- $image := .Values.image -}}
{{- if $image.digest }}{{ $image.repository }}@{{ $image.digest }}{{ else }}{{ $image.repository }}:{{ $image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{- /* The name of a Secret: (list $ "nodes"). */ -}}
{{- define "chat.secret" -}}
{{- $root := index . 0 -}}
{{- $which := index . 1 -}}
{{- (index $root.Values.secrets $which).existingSecret | default (printf "%s-%s" (include "chat.name" $root) $which) }}
{{- end }}

{{- /* Stops the installation where a Secret that the chart makes would lack what a program needs: (list $ "nodes" "REDIS_URL"). */ -}}
{{- define "chat.requireSecret" -}}
{{- $root := index . 0 -}}
{{- $which := index . 1 -}}
{{- $secret := index $root.Values.secrets $which -}}
{{- if not $secret.existingSecret -}}
{{- $value := required (printf "secrets.%s: give existingSecret, or %s among the values" $which (index . 2)) (get $secret.values (index . 2)) -}}
{{- if and (hasPrefix "DATABASE_" (index . 2)) $root.Values.authorities.postgresql (not (contains "sslrootcert=/authorities/postgresql.crt" $value)) -}}
{{- fail (printf "secrets.%s.values.%s: authorities.postgresql is mounted, so end the URL with ?sslmode=verify-full&sslrootcert=/authorities/postgresql.crt" $which (index . 2)) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "chat.podSecurity" -}}
runAsNonRoot: true
# The user `node` of the image.
runAsUser: 1000
runAsGroup: 1000
fsGroup: 1000
seccompProfile: { type: RuntimeDefault }
{{- end }}

{{- define "chat.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}

{{- define "chat.mounts" -}}
- { name: data, mountPath: /data }
- { name: tmp, mountPath: /tmp }
{{- if include "chat.authorities" . }}
- { name: authorities, mountPath: /authorities, readOnly: true }
{{- end }}
{{- end }}

{{- define "chat.volumes" -}}
# Nothing in them has to outlive the pod: files are in the bucket, the rest in databases.
- { name: data, emptyDir: { sizeLimit: 1Gi } }
- { name: tmp, emptyDir: { sizeLimit: 1Gi } }
{{- with include "chat.authorities" . }}
- name: authorities
  projected:
    sources:
      {{- . | nindent 6 }}
{{- end }}
{{- end }}

{{- define "chat.authorities" -}}
{{- range $name, $source := .Values.authorities }}
{{- with $source }}
- {{ if .secret }}secret{{ else }}configMap{{ end }}:
    name: {{ .secret | default .configMap }}
    items: [{ key: {{ .key | default "ca.crt" }}, path: {{ $name }}.crt }]
{{- end }}
{{- end }}
{{- end }}

{{- /* The settings that name the files of the authorities. */ -}}
{{- define "chat.authoritySettings" -}}
{{- $settings := dict "redis" "REDIS_CA_FILE" "rabbitmq" "AMQP_CA_FILE" "eventstoredb" "EVENTSTOREDB_CA_FILE" "others" "NODE_EXTRA_CA_CERTS" -}}
{{- range $name, $setting := $settings }}
{{- if index $.Values.authorities $name }}
- name: {{ $setting }}
  value: /authorities/{{ $name }}.crt
{{- end }}
{{- end }}
{{- end }}

{{- /* What clients may reach: not /metrics, /health or /internal. */ -}}
{{- define "chat.paths" -}}
- { path: /v1, type: Prefix }
- { path: /socket.io, type: Prefix }
- { path: /docs, type: Prefix }
- { path: /login, type: Exact }
- { path: /jobs, type: Exact }
- { path: /apply, type: Exact }
- { path: /files, type: Exact }
- { path: /.well-known/jwks.json, type: Exact }
- { path: /.well-known/openid-configuration, type: Exact }
- { path: /openapi.json, type: Exact }
- { path: /asyncapi.json, type: Exact }
{{- end }}
