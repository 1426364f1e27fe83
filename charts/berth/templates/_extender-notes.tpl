{{- define "berth.extender.notes" -}}
{{- $extender := .Values.extender }}
{{- $name := include "berth.part.name" (dict "root" . "part" "extender") }}
{{- $kubeconfig := get (dict "kind" "/etc/kubernetes/scheduler.conf" "kubeadm" "/etc/kubernetes/scheduler.conf" "k3s" "/var/lib/rancher/k3s/server/cred/scheduler.kubeconfig") $extender.controlPlane }}

THE EXTENDER ({{ $extender.controlPlane }})

It answers, and nobody asks it yet: nothing in your control plane has been changed. kube-scheduler asks it once its configuration says
so. This writes that configuration; a file that you have already gets the part under "extenders":

---8<--- berth-kube-scheduler
address=$(kubectl -n {{ .Release.Namespace }} get service {{ $name }} -o jsonpath='{.spec.clusterIP}')
data() { kubectl -n {{ .Release.Namespace }} get secret {{ include "berth.extender.clientSecret" . }} -o go-template='{{ "{{" }}index .data "'"$1"'"{{ "}}" }}'; }
cat > berth-kube-scheduler.yaml <<EOF
apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
clientConnection:
  kubeconfig: {{ $kubeconfig }}
leaderElection:
  leaderElect: true
extenders:
{{ include "berth.extender.entry" . }}
EOF
--->8---
{{ if eq $extender.controlPlane "k3s" }}
On every server, as root (the file holds a key: mode 0600):

    install -m 0600 berth-kube-scheduler.yaml /etc/rancher/k3s/berth-kube-scheduler.yaml
    mkdir -p /etc/rancher/k3s/config.yaml.d
    echo 'kube-scheduler-arg+: ["config=/etc/rancher/k3s/berth-kube-scheduler.yaml"]' > /etc/rancher/k3s/config.yaml.d/berth-extender.yaml
    systemctl restart k3s

Go back: rm /etc/rancher/k3s/config.yaml.d/berth-extender.yaml; systemctl restart k3s; then
    helm uninstall {{ .Release.Name }} -n {{ .Release.Namespace }}
{{- else }}
{{- if eq $extender.controlPlane "kind" }}
For every control-plane container of the cluster (kind get nodes), such as kind-control-plane:

    docker cp berth-kube-scheduler.yaml kind-control-plane:/etc/kubernetes/berth-kube-scheduler.yaml
    docker exec -it kind-control-plane bash

and there:
{{- else }}
On every control-plane node, as root (the file holds a key: mode 0600):

    install -m 0600 berth-kube-scheduler.yaml /etc/kubernetes/berth-kube-scheduler.yaml
{{- end }}

    cp /etc/kubernetes/manifests/kube-scheduler.yaml /root/kube-scheduler.yaml.before-berth
    sed -i \
      -e 's#^\( *\)- kube-scheduler$#&\n\1- --config=/etc/kubernetes/berth-kube-scheduler.yaml#' \
      -e 's#^\( *\)volumeMounts:$#&\n\1- { name: berth, mountPath: /etc/kubernetes/berth-kube-scheduler.yaml, readOnly: true }#' \
      -e 's#^\( *\)volumes:$#&\n\1- { name: berth, hostPath: { path: /etc/kubernetes/berth-kube-scheduler.yaml, type: File } }#' \
      /etc/kubernetes/manifests/kube-scheduler.yaml

The kubelet starts kube-scheduler anew by itself.

Go back: cp /root/kube-scheduler.yaml.before-berth /etc/kubernetes/manifests/kube-scheduler.yaml on each of them, then
    helm uninstall {{ .Release.Name }} -n {{ .Release.Namespace }}
{{- end }}
{{ if $extender.ignorable }}
While the extender does not answer, kube-scheduler goes on without it (extender.ignorable).
{{- else }}
While the extender does not answer, no pod is scheduled (extender.ignorable: false).
{{- end }}

See it work: with each pod that kube-scheduler places, one replica's count of requests rises.

    for file in ca.crt tls.crt tls.key; do data $file | base64 -d > $file; done
    for pod in $(kubectl -n {{ .Release.Namespace }} get pods -o name -l app.kubernetes.io/component=extender,app.kubernetes.io/instance={{ .Release.Name }}); do
      kubectl -n {{ .Release.Namespace }} port-forward $pod 10270 & sleep 2
      curl -s --cacert ca.crt --cert tls.crt --key tls.key --connect-to ::127.0.0.1:10270 \
        https://{{ include "berth.extender.serverName" . }}:10270/metrics | grep ^berth_extender_requests_total
      kill $!
    done
{{- end -}}
