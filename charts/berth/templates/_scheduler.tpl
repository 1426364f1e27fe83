{{/* What the scheduler's templates and notes share. */}}

{{- define "berth.scheduler.name" -}}
{{- $scheduler := .Values.scheduler -}}
{{- if eq $scheduler.mode "replace" -}}
default-scheduler
{{- else if eq $scheduler.schedulerName "default-scheduler" -}}
{{- fail "scheduler.schedulerName: default-scheduler is kube-scheduler's own name, and both would decide for the same pods. Choose another name, or set scheduler.mode: replace (values/replace.yaml)" -}}
{{- else -}}
{{- $scheduler.schedulerName -}}
{{- end -}}
{{- end -}}

{{/* The name that pods use to come to this scheduler: the first profile's. */}}
{{- define "berth.scheduler.firstProfile" -}}
{{- $profiles := .Values.scheduler.config.profiles | default list -}}
{{- if $profiles -}}
{{- (first $profiles).schedulerName | default "default-scheduler" -}}
{{- else -}}
{{- include "berth.scheduler.name" . -}}
{{- end -}}
{{- end -}}

{{- define "berth.scheduler.leaseName" -}}
{{- $election := .Values.scheduler.leaderElection -}}
{{- if $election.resourceName -}}
{{- $election.resourceName -}}
{{- else if eq .Values.scheduler.mode "replace" -}}
kube-scheduler
{{- else -}}
{{- include "berth.part.name" (dict "root" . "part" "scheduler") -}}
{{- end -}}
{{- end -}}

{{- define "berth.scheduler.leaseNamespace" -}}
{{- $election := .Values.scheduler.leaderElection -}}
{{- if $election.resourceNamespace -}}
{{- $election.resourceNamespace -}}
{{- else if eq .Values.scheduler.mode "replace" -}}
kube-system
{{- else -}}
{{- .Release.Namespace -}}
{{- end -}}
{{- end -}}

{{- define "berth.scheduler.configuration" -}}
{{- $scheduler := .Values.scheduler -}}
{{- range $field := list "apiVersion" "kind" "leaderElection" "clientConnection" -}}
{{- if hasKey $scheduler.config $field -}}
{{- fail (printf "scheduler.config.%s: the chart sets this itself%s" $field (eq $field "leaderElection" | ternary "; use scheduler.leaderElection" "")) -}}
{{- end -}}
{{- end -}}
{{- if eq $scheduler.mode "beside" -}}
{{- range $index, $profile := $scheduler.config.profiles -}}
{{- if eq ($profile.schedulerName | default "default-scheduler") "default-scheduler" -}}
{{- fail (printf "scheduler.config.profiles[%d].schedulerName: default-scheduler is kube-scheduler's own name, and both would decide for the same pods. Choose another name, or set scheduler.mode: replace (values/replace.yaml)" $index) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $own := dict
  "apiVersion" "kubescheduler.config.k8s.io/v1"
  "kind" "KubeSchedulerConfiguration"
  "leaderElection" (dict
    "leaderElect" true
    "resourceLock" "leases"
    "resourceName" (include "berth.scheduler.leaseName" .)
    "resourceNamespace" (include "berth.scheduler.leaseNamespace" .)
    "leaseDuration" $scheduler.leaderElection.leaseDuration
    "renewDeadline" $scheduler.leaderElection.renewDeadline
    "retryPeriod" $scheduler.leaderElection.retryPeriod)
  "profiles" (list (dict "schedulerName" (include "berth.scheduler.name" .))) -}}
{{- toYaml (merge (deepCopy $scheduler.config) $own) -}}
{{- end -}}
