import { hostname } from 'node:os'
import { createCa, issueCertificate } from '../certificates/index.ts'

/** A serving certificate for a component that was given none: signed by an authority of its own, kept nowhere, as upstream's components do. */
export async function selfSignedServing(name: string): Promise<{ cert: string; key: string; ca: string }> {
  const ca = await createCa(`${name}-ca`)
  const issued = await issueCertificate(ca, { commonName: `${hostname()}@${name}`, dnsNames: ['localhost', hostname()], ipAddresses: ['127.0.0.1', '::1'], usages: ['server'], days: 365 })
  return { cert: issued.certificate, key: issued.key, ca: ca.certificate }
}
