import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createCa, issueCertificate, needsRenewal } from '@berth/kube'

/** The server's certificate and key (PEM): those named, or self-signed ones kept in <root>/pki as upstream does. */
export async function servingCertificate(options: { rootDir: string; nodeName: string; addresses: readonly string[]; certFile: string; keyFile: string }): Promise<{ cert: string; key: string }> {
  if (options.certFile || options.keyFile) return { cert: await readFile(options.certFile, 'utf8'), key: await readFile(options.keyFile, 'utf8') }
  const dir = join(options.rootDir, 'pki')
  const [certFile, keyFile] = [join(dir, 'kubelet.crt'), join(dir, 'kubelet.key')]
  const [cert, key] = await Promise.all([certFile, keyFile].map((f) => readFile(f, 'utf8').catch(() => '')))
  const names = { dnsNames: [options.nodeName], ipAddresses: [...options.addresses] }
  if (cert && key && !needsRenewal(cert, names, Date.now())) return { cert, key }
  const ca = await createCa(`${options.nodeName}-ca@${Math.floor(Date.now() / 1000)}`)
  const issued = await issueCertificate(ca, { commonName: `${options.nodeName}@${Math.floor(Date.now() / 1000)}`, ...names, usages: ['server'], days: 365 })
  const chain = issued.certificate + ca.certificate
  await mkdir(dir, { recursive: true, mode: 0o700 })
  await writeFile(keyFile, issued.key, { mode: 0o600 })
  await writeFile(certFile, chain, { mode: 0o644 })
  return { cert: chain, key: issued.key }
}
