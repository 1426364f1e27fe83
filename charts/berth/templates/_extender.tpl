{{/* What the extender's templates and notes share. */}}

{{- define "berth.extender.secret" -}}
{{- .Values.extender.tls.secretName | default (printf "%s-tls" (include "berth.part.name" (dict "root" . "part" "extender"))) -}}
{{- end -}}

{{- define "berth.extender.clientSecret" -}}
{{- .Values.extender.tls.clientSecretName | default (printf "%s-client" (include "berth.part.name" (dict "root" . "part" "extender"))) -}}
{{- end -}}

{{/* The name that the serving certificate is for, and that kube-scheduler verifies. */}}
{{- define "berth.extender.serverName" -}}
{{- printf "%s.%s.svc" (include "berth.part.name" (dict "root" . "part" "extender")) .Release.Namespace -}}
{{- end -}}

{{- define "berth.extender.configuration" -}}
{{- $extender := .Values.extender -}}
{{- if not $extender.plugins -}}
{{- fail "extender.plugins: name at least one, such as [{ name: RackSpread, weight: 1 }]" -}}
{{- end -}}
{{- $authorization := dict -}}
{{- if not $extender.tls.secretName -}}
{{- $authorization = dict "users" (list "system:kube-scheduler") -}}
{{- end -}}
{{- toYaml (dict
  "apiVersion" "berth.dev/v1alpha1"
  "kind" "ExtenderConfiguration"
  "serving" (dict "address" "0.0.0.0" "port" 10270 "tls" (dict "certFile" "/etc/berth/tls/tls.crt" "keyFile" "/etc/berth/tls/tls.key" "clientCAFile" "/etc/berth/tls/ca.crt"))
  "authorization" $authorization
  "limits" (dict "timeout" $extender.timeout "maxInFlight" (int $extender.maxInFlight))
  "plugins" $extender.plugins
  "pluginConfig" $extender.pluginConfig) -}}
{{- end -}}

{{/* This extender's entry in KubeSchedulerConfiguration; $address and $(data ...) are for the shell of the notes. */}}
{{- define "berth.extender.entry" -}}
{{- $extender := .Values.extender -}}
- urlPrefix: https://$address:{{ $extender.service.port }}/scheduler
  {{- range $verb := list "filter" "prioritize" "preempt" "bind" }}
  {{- if index $extender.verbs $verb }}
  {{ $verb }}Verb: {{ $verb }}
  {{- end }}
  {{- end }}
  {{- if $extender.verbs.prioritize }}
  weight: {{ $extender.weight }}
  {{- end }}
  nodeCacheCapable: true
  ignorable: {{ $extender.ignorable }}
  httpTimeout: {{ $extender.httpTimeout }}
  {{- with $extender.managedResources }}
  managedResources:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  enableHTTPS: true
  tlsConfig:
    serverName: {{ include "berth.extender.serverName" . }}
    caData: $(data ca.crt)
    certData: $(data tls.crt)
    keyData: $(data tls.key)
{{- end -}}
