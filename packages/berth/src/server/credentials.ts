import fs from 'node:fs'
import path from 'node:path'
import { kubeconfig } from '@berth/apiserver'
import { issueCertificate, needsRenewal, parseYaml, type CertificateAndKey } from '@berth/kube'
import { nodeAddress, serverAddress, type Instance } from '../instance/instance.ts'
import type { Layout } from '../instance/layout.ts'

/** Whom a node's parts are to the API server, and where each finds its kubeconfig. */
export const nodeIdentities = {
  kubelet: (node: string) => ({ commonName: `system:node:${node}`, organizations: ['system:nodes'] }),
  'service-proxy': () => ({ commonName: 'system:kube-proxy', organizations: [] }),
  overlay: () => ({ commonName: 'berth:overlay', organizations: [] }),
  dns: () => ({ commonName: 'berth:dns', organizations: [] }),
  'local-path': () => ({ commonName: 'berth:local-path', organizations: [] }),
} as const

/** The kubeconfig of one part of a node. */
export function nodeKubeconfig(layout: Layout, node: string, part: keyof typeof nodeIdentities): string {
  return path.join(layout.node(node).rootDir, 'pki', `${part}.kubeconfig`)
}

async function stillGood(file: string, ca: string, server: string): Promise<boolean> {
  try {
    const config = await parseYaml(fs.readFileSync(file, 'utf8')) as { clusters: [{ cluster: { server: string } }]; users: [{ user: { 'client-certificate-data': string } }] }
    const certificate = Buffer.from(config.users[0].user['client-certificate-data'], 'base64').toString()
    return config.clusters[0].cluster.server === server && !needsRenewal(certificate, { ca }, Date.now())
  } catch {
    // Not there, or not whole: it is written again.
    return false
  }
}

function writeSecret(file: string, text: string): void {
  fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 })
  fs.writeFileSync(`${file}.new`, text, { mode: 0o600 })
  fs.renameSync(`${file}.new`, file)
}

/** Where a node's kubelet finds its serving certificate, its key, and the authority of its clients. PEM files. */
export function nodeServing(layout: Layout, node: string): { certificate: string; key: string; ca: string } {
  const folder = path.join(layout.node(node).rootDir, 'pki')
  return { certificate: path.join(folder, 'kubelet.crt'), key: path.join(folder, 'kubelet.key'), ca: path.join(folder, 'ca.crt') }
}

async function writeServing(layout: Layout, instance: Instance, node: string, authority: CertificateAndKey): Promise<void> {
  const files = nodeServing(layout, node)
  const address = nodeAddress(instance, node)
  writeSecret(files.ca, authority.certificate)
  const known = fs.existsSync(files.key) && fs.existsSync(files.certificate) ? fs.readFileSync(files.certificate, 'utf8') : undefined
  if (known !== undefined && !needsRenewal(known, { ca: authority.certificate, ipAddresses: [address] }, Date.now())) return
  const { certificate, key } = await issueCertificate(authority, { commonName: `system:node:${node}`, organizations: ['system:nodes'], dnsNames: [node], ipAddresses: [address], usages: ['server'] })
  writeSecret(files.key, key)
  writeSecret(files.certificate, certificate)
}

/** Writes the administrator's kubeconfig and one for each part of each node; what is good stays. */
export async function writeCredentials(layout: Layout, instance: Instance, authority: CertificateAndKey): Promise<void> {
  const server = `https://${serverAddress(instance)}:${instance.securePort}`
  const write = async (file: string, identity: { commonName: string; organizations: readonly string[] }): Promise<void> => {
    if (await stillGood(file, authority.certificate, server)) return
    const client = await issueCertificate(authority, { commonName: identity.commonName, organizations: [...identity.organizations], usages: ['client'] })
    writeSecret(file, kubeconfig({ server, ca: authority.certificate, user: identity.commonName, client }))
  }
  // The kubelet's certificate first: its kubeconfig is what an agent waits for.
  await Promise.all(instance.nodes.map((node) => writeServing(layout, instance, node, authority)))
  const parts = Object.keys(nodeIdentities) as Array<keyof typeof nodeIdentities>
  await Promise.all([
    ...instance.nodes.flatMap((node) => parts.map((part) => write(nodeKubeconfig(layout, node, part), nodeIdentities[part](node)))),
    write(layout.kubeconfig, { commonName: 'kubernetes-admin', organizations: ['system:masters'] }),
  ])
}
