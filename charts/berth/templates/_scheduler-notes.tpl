{{- define "berth.scheduler.notes" -}}
{{- $name := include "berth.part.name" (dict "root" . "part" "scheduler") }}

THE SCHEDULER ({{ .Values.scheduler.mode }})
{{ if eq .Values.scheduler.mode "beside" }}
Pods that say so in their spec are scheduled by Berth; all others stay with the cluster's scheduler:

    schedulerName: {{ include "berth.scheduler.firstProfile" . }}

See it work:

    kubectl run hello --image={{ include "berth.image" . }} --restart=Never \
      --overrides='{"spec":{"schedulerName":"{{ include "berth.scheduler.firstProfile" . }}"}}' -- version
    kubectl get events --field-selector involvedObject.name=hello,reason=Scheduled
    kubectl -n {{ include "berth.scheduler.leaseNamespace" . }} get lease {{ include "berth.scheduler.leaseName" . }}      # who leads
    kubectl -n {{ .Release.Namespace }} logs -l app.kubernetes.io/component=scheduler,app.kubernetes.io/instance={{ .Release.Name }}

Go back: take schedulerName out of your workloads, then   helm uninstall {{ .Release.Name }} -n {{ .Release.Namespace }}
Pods that still name {{ include "berth.scheduler.firstProfile" . }} keep running, and new ones stay Pending until somebody answers to that name.
{{- else }}
Nothing has changed yet: {{ $name }} waits for the lease {{ include "berth.scheduler.leaseNamespace" . }}/{{ include "berth.scheduler.leaseName" . }}, which kube-scheduler holds.
When both replicas are Ready, switch kube-scheduler off; Berth takes over within {{ .Values.scheduler.leaderElection.leaseDuration }}:

    kubectl -n {{ .Release.Namespace }} rollout status deployment/{{ $name }}
    kubeadm, kind (on every control-plane node):  mv /etc/kubernetes/manifests/kube-scheduler.yaml /root/
    k3s:                                          start the servers with --disable-scheduler

See it work:

    kubectl -n {{ include "berth.scheduler.leaseNamespace" . }} get lease {{ include "berth.scheduler.leaseName" . }} -o jsonpath='{.spec.holderIdentity}{"\n"}'
    kubectl run hello --image={{ include "berth.image" . }} --restart=Never -- version
    kubectl get events --field-selector involvedObject.name=hello,reason=Scheduled

Go back: put kube-scheduler back first (mv /root/kube-scheduler.yaml /etc/kubernetes/manifests/, or drop --disable-scheduler);
it waits for the lease. Then   helm uninstall {{ .Release.Name }} -n {{ .Release.Namespace }}

Mind: a scheduler that runs as pods needs a scheduler when all its pods are gone at once. The budget and the spread over nodes keep one
alive through drains and upgrades; if all are lost, put kube-scheduler back as above, or give one of them a node by hand (spec.nodeName).
{{- end }}
{{- end -}}
