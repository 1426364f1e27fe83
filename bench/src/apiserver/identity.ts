import fs from 'node:fs'
import path from 'node:path'
import { createCa, issueCertificate } from '@berth/kube'

/** Who the servers are and who asks: one authority, a serving certificate, and a client that may do everything. */
export interface Identity {
  readonly ca: string
  readonly certificate: string
  readonly key: string
  /** Files for the servers' flags. */
  readonly files: { readonly ca: string; readonly servingCertificate: string; readonly servingKey: string; readonly kubeconfig: string }
}

/** Makes the identity of one benchmark, in files below `directory`. */
export async function makeIdentity(directory: string): Promise<Identity> {
  const authority = await createCa('berth-bench')
  const serving = await issueCertificate(authority, { commonName: 'bench', dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'], usages: ['server'] })
  const client = await issueCertificate(authority, { commonName: 'bench', organizations: ['system:masters'], usages: ['client'] })
  const write = (name: string, text: string): string => {
    const file = path.join(directory, name)
    fs.writeFileSync(file, text, { mode: 0o600 })
    return file
  }
  // The generic server wants to know a cluster to ask about users and namespaces; with client certificates and without the plugins that look there, it never does.
  const nobody = {
    apiVersion: 'v1', kind: 'Config', 'current-context': 'c', clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:9' } }],
    users: [{ name: 'u', user: {} }], contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
  }
  return {
    ca: authority.certificate, certificate: client.certificate, key: client.key,
    files: {
      ca: write('ca.crt', authority.certificate), servingCertificate: write('serving.crt', serving.certificate), servingKey: write('serving.key', serving.key),
      kubeconfig: write('nobody.json', JSON.stringify(nobody)),
    },
  }
}
