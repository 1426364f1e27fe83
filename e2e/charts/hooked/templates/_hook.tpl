{{- /* A Job that is a hook: takes the root context, the hook's name, its weight and what becomes of it. It adds its name to the ConfigMap that keeps the order. */ -}}
{{- define "hooked.job" -}}
{{- $root := index . 0 -}}{{- $hook := index . 1 -}}{{- $weight := index . 2 -}}{{- $policy := index . 3 -}}
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ $root.Release.Name }}-{{ $hook }}-{{ $weight | replace "-" "m" }}
  annotations:
    helm.sh/hook: {{ $hook }}
    helm.sh/hook-weight: {{ $weight | quote }}
    helm.sh/hook-delete-policy: {{ $policy }}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      terminationGracePeriodSeconds: 1
      containers:
        - name: hook
          image: {{ $root.Values.image }}
          command: [sh, -c, {{ printf "echo %s %s of revision %d; %s" $hook $weight $root.Release.Revision (eq $root.Values.failing $hook | ternary "exit 1" "exit 0") | quote }}]
{{- end }}
