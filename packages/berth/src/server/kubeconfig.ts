import { stringify } from 'yaml'

/** A kubeconfig with one cluster, one user by client certificate, and one context (client.config v1). All PEM. */
export function kubeconfigText(options: { server: string; ca: string; user: string; certificate: string; key: string }): string {
  const base64 = (text: string): string => Buffer.from(text).toString('base64')
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'berth', cluster: { server: options.server, 'certificate-authority-data': base64(options.ca) } }],
    users: [{ name: options.user, user: { 'client-certificate-data': base64(options.certificate), 'client-key-data': base64(options.key) } }],
    contexts: [{ name: 'berth', context: { cluster: 'berth', user: options.user } }],
    'current-context': 'berth',
  }, { lineWidth: 0 })
}
