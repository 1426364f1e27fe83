import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type CertificateAndKey, type CertificateRequest, createCa, createPrivateKeyPem, issueCertificate, needsRenewal, publicKeyPem } from '@berth/kube'
import { frontProxyName } from '../config.ts'
import type { ApiServerOptions, ServerCertificates } from '../interfaces.ts'
import { advertiseAddressOf, servingNames } from './addresses.ts'
import { kubeconfig } from './kubeconfig.ts'
import { readIfThere, readPair, writePair, writePrivateFile } from './pem-files.ts'

/** Everything the server needs of keys and certificates; PEM throughout. */
export interface PreparedCertificates extends ServerCertificates {
  /** The server's own authority: signs serving, client and node certificates. */
  readonly authority: CertificateAndKey
  /** What the server shows to kubelets. */
  readonly kubeletClient: CertificateAndKey
  /** What the server shows to aggregated API servers. */
  readonly proxyClient: CertificateAndKey
  /** The authority of proxies that may name the user in headers. */
  readonly requestHeaderCa: string
  /** What the administrator shows; undefined where --client-ca-file names another authority than ours. */
  readonly admin: CertificateAndKey | undefined
  /** Signs service accounts' tokens. */
  readonly serviceAccountSigningKey: string
  /** Keys that tokens are accepted of, the signing key's first. */
  readonly serviceAccountKeys: readonly string[]
}

/**
 * Reads the server's keys and certificates from --cert-dir and makes what lacks, is near its end, or does not fit its names any more. The files are named as
 * kubeadm names them: ca, apiserver, apiserver-kubelet-client, admin, front-proxy-ca, front-proxy-client (.crt and .key), sa.key, sa.pub; all are readable by their owner alone.
 * Files that flags name are read and never written. May be called again at any time: what is good stays.
 */
export async function prepareCertificates(options: ApiServerOptions, now: number = Date.now()): Promise<PreparedCertificates> {
  const [authority, frontProxyAuthority] = await Promise.all([prepareAuthority(join(options.certDir, 'ca'), 'kubernetes', now), prepareAuthority(join(options.certDir, 'front-proxy-ca'), 'front-proxy-ca', now)])
  const clientCa = options.clientCaFile ? await readNamed('client-ca-file', options.clientCaFile) : authority.certificate
  const ensure = (base: string, request: CertificateRequest): Promise<CertificateAndKey> => preparePair(join(options.certDir, base), authority, request, now)
  const requestHeaderCa = options.requestHeaderClientCaFile ? await readNamed('requestheader-client-ca-file', options.requestHeaderClientCaFile) : frontProxyAuthority.certificate
  const [serving, kubeletClient, proxyClient, admin, accounts] = await Promise.all([
    prepareServing(options, authority, ensure),
    options.kubeletClientCertificate && options.kubeletClientKey
      ? readNamedPair('kubelet-client', options.kubeletClientCertificate, options.kubeletClientKey)
      : ensure('apiserver-kubelet-client', { commonName: 'kube-apiserver-kubelet-client', organizations: ['system:masters'], usages: ['client'] }),
    options.proxyClientCertFile && options.proxyClientKeyFile
      ? readNamedPair('proxy-client', options.proxyClientCertFile, options.proxyClientKeyFile)
      : preparePair(join(options.certDir, 'front-proxy-client'), frontProxyAuthority, { commonName: frontProxyName, usages: ['client'] }, now),
    options.clientCaFile ? undefined : ensure('admin', { commonName: 'kubernetes-admin', organizations: ['system:masters'], usages: ['client'] }),
    prepareServiceAccountKeys(options),
  ])
  return { authority, clientCa, requestHeaderCa, ...serving, kubeletClient, proxyClient, admin, ...accounts }
}

async function prepareAuthority(base: string, name: string, now: number): Promise<CertificateAndKey> {
  const known = await readPair(base)
  if (known && !needsRenewal(known.certificate, {}, now, 0)) return known
  const made = await createCa(name, { now })
  await writePair(base, made)
  return made
}

async function preparePair(base: string, authority: CertificateAndKey, request: CertificateRequest, now: number): Promise<CertificateAndKey> {
  const known = await readPair(base)
  const wanted = { ca: authority.certificate, ...(request.dnsNames && { dnsNames: request.dnsNames }), ...(request.ipAddresses && { ipAddresses: request.ipAddresses }) }
  if (known && !needsRenewal(known.certificate, wanted, now)) return known
  const made = await issueCertificate(authority, request, { now })
  await writePair(base, made)
  return made
}

async function prepareServing(options: ApiServerOptions, authority: CertificateAndKey, ensure: (base: string, request: CertificateRequest) => Promise<CertificateAndKey>): Promise<ServerCertificates> {
  if (options.tlsCertFile && options.tlsPrivateKeyFile) {
    const pair = await readNamedPair('tls', options.tlsCertFile, options.tlsPrivateKeyFile)
    return { servingCert: pair.certificate, servingKey: pair.key, servingCa: pair.certificate }
  }
  if (options.tlsCertFile || options.tlsPrivateKeyFile) throw new Error('--tls-cert-file and --tls-private-key-file must be given together')
  const pair = await ensure('apiserver', { commonName: 'kube-apiserver', ...servingNames(options), usages: ['server'] })
  return { servingCert: pair.certificate, servingKey: pair.key, servingCa: authority.certificate }
}

async function prepareServiceAccountKeys(options: ApiServerOptions): Promise<{ serviceAccountSigningKey: string, serviceAccountKeys: string[] }> {
  const named = await Promise.all(options.serviceAccountKeyFiles.map((path) => readNamed('service-account-key-file', path)))
  const signing = options.serviceAccountSigningKeyFile
    ? await readNamed('service-account-signing-key-file', options.serviceAccountSigningKeyFile)
    : await prepareKey(join(options.certDir, 'sa'))
  return { serviceAccountSigningKey: signing, serviceAccountKeys: [...new Set([publicKeyPem(signing), ...named])] }
}

async function prepareKey(base: string): Promise<string> {
  const known = await readIfThere(`${base}.key`)
  if (known !== undefined) return known
  const made = await createPrivateKeyPem()
  await writePrivateFile(`${base}.key`, made)
  await writePrivateFile(`${base}.pub`, publicKeyPem(made))
  return made
}

async function readNamed(flag: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new Error(`--${flag}: cannot read ${path}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}

async function readNamedPair(flag: string, certificate: string, key: string): Promise<CertificateAndKey> {
  return { certificate: await readNamed(flag, certificate), key: await readNamed(flag, key) }
}

/** Writes the administrator's kubeconfig (`admin.conf` in --cert-dir) once the port is known, and gives its path; undefined where there is no administrator of ours. */
export async function writeAdminKubeconfig(options: ApiServerOptions, certificates: PreparedCertificates, port: number): Promise<string | undefined> {
  if (!certificates.admin) return undefined
  const path = join(options.certDir, 'admin.conf')
  const address = advertiseAddressOf(options)
  const server = `https://${address.includes(':') ? `[${address}]` : address}:${port}`
  const content = kubeconfig({ server, ca: certificates.servingCa, user: 'kubernetes-admin', client: certificates.admin })
  if (await readIfThere(path) !== content) await writePrivateFile(path, content)
  return path
}
