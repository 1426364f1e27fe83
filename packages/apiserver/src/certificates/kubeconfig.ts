import type { CertificateAndKey } from '@berth/kube'

/** A kubeconfig with one cluster and one user, who shows a client certificate. */
export function kubeconfig(spec: { server: string, ca: string, clusterName?: string, user: string, client: CertificateAndKey, namespace?: string }): string {
  const cluster = spec.clusterName ?? 'berth'
  const q = (text: string): string => JSON.stringify(text)
  const base64 = (text: string): string => Buffer.from(text).toString('base64')
  return `apiVersion: v1
kind: Config
clusters:
- name: ${q(cluster)}
  cluster:
    server: ${q(spec.server)}
    certificate-authority-data: ${base64(spec.ca)}
users:
- name: ${q(spec.user)}
  user:
    client-certificate-data: ${base64(spec.client.certificate)}
    client-key-data: ${base64(spec.client.key)}
contexts:
- name: ${q(cluster)}
  context:
    cluster: ${q(cluster)}
    user: ${q(spec.user)}
${spec.namespace ? `    namespace: ${q(spec.namespace)}\n` : ''}current-context: ${q(cluster)}
`
}
