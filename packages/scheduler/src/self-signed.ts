import os from 'node:os'
import { createCa, issueCertificate } from '@berth/kube'

/** A serving certificate that this process makes for itself, as upstream's components do where none is given. PEM. */
export async function selfSigned(): Promise<{ cert: string; key: string }> {
  const host = os.hostname()
  const ca = await createCa(`${host}-ca@${Math.floor(Date.now() / 1000)}`)
  const { certificate, key } = await issueCertificate(ca, { commonName: host, organizations: [], dnsNames: [host, 'localhost'], ipAddresses: ['127.0.0.1'], usages: ['server'], days: 365 })
  return { cert: certificate, key }
}
