import path from 'node:path'
import { startApiServer } from '@berth/apiserver'
import { createClient, issueCertificate, type Logger, type RunningPart } from '@berth/kube'
import { stopInTurn } from '../boot/stop.ts'
import { serverAddress, type Instance } from '../instance/instance.ts'
import type { Layout } from '../instance/layout.ts'
import { keepHostRules } from '../network/host-keeper.ts'
import { keepPodRoutes } from '../network/pod-routes.ts'
import { writeCredentials } from './credentials.ts'
import { ensureRoles } from './roles.ts'
import { ensureStorageClass } from './storage-class.ts'
import { startPartThread } from './threads.ts'

/** Upstream's. */
const schedulerPort = 10259

export interface RunServerOptions {
  readonly layout: Layout
  readonly instance: Instance
  readonly verbosity: number
  readonly logger: Logger
  readonly signal: AbortSignal
}

/** Runs the control plane until the signal: the API server on this thread, controllers and scheduler on one each. */
export async function runServer({ layout, instance, verbosity, logger, signal }: RunServerOptions): Promise<number> {
  const address = serverAddress(instance)
  const api = await startApiServer({
    dataDir: layout.server.dataDir,
    ...(instance.etcd && { storage: 'etcd3', etcd: instance.etcd }),
    certDir: layout.server.certDir,
    bindAddress: address,
    advertiseAddress: address,
    securePort: instance.securePort,
    // As kubeadm sets it: what a privileged pod may is for Pod Security and the Engine to say.
    allowPrivileged: true,
    enableAdmissionPlugins: ['NotActedOn'],
    // Machines may join as they join a cluster of kubeadm's.
    enableBootstrapTokenAuth: true,
    serviceClusterIpRange: instance.serviceCidr,
    serviceAccountIssuer: `https://kubernetes.default.svc.${instance.clusterDomain}`,
    kubeletPreferredAddressTypes: ['InternalIP'],
    kubeletCertificateAuthority: path.join(layout.server.certDir, 'ca.crt'),
    logger: logger.with({ part: 'apiserver' }),
  })
  await writeCredentials(layout, instance, api.certificates.authority)
  const threads: RunningPart[] = []
  const { authority } = api.certificates
  const schedulerCertificate = await issueCertificate(authority, { commonName: 'kube-scheduler', organizations: [], dnsNames: ['localhost', 'kube-scheduler'], ipAddresses: [address], usages: ['server'] })
  const schedulerServing = { address, port: schedulerPort, cert: schedulerCertificate.certificate, key: schedulerCertificate.key, ca: authority.certificate, clientCa: authority.certificate }
  const settings = { schedulerServing, clusterCidr: instance.podCidr, nodeCidrMaskSize: 24, serviceCidr: instance.serviceCidr, rootCa: api.certificates.authority.certificate }
  const secrets = { signingCa: { certificate: authority.certificate, key: authority.key }, serviceAccountPrivateKey: api.certificates.serviceAccountSigningKey }
  const thread = (name: string, script: URL, user: string, groups: string[], own: Record<string, unknown> = {}): void => {
    threads.push(startPartThread({ name, script, handler: api.handler, user: { name: user, groups: ['system:authenticated', ...groups] }, verbosity, settings: { ...settings, ...own }, logger, maxOldSpaceMb: 2048 }))
  }
  thread('controllers', new URL('./controllers-thread.ts', import.meta.url), 'system:kube-controller-manager', ['system:masters'], secrets)
  thread('scheduler', new URL('./scheduler-thread.ts', import.meta.url), 'system:kube-scheduler', [])
  const stopKeeping = keepHostRules(layout, instance, logger)
  await api.whenReady()
  const own = createClient(api.loopback, { userAgent: 'berth-server' })
  const stopRouting = keepPodRoutes(layout, own, logger)
  await ensureRoles(own)
  await ensureStorageClass(own)
  logger.info('The control plane is ready', { server: `https://${address}:${instance.securePort}` })
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve())
  })
  stopKeeping()
  stopRouting()
  await stopInTurn([{ name: 'threads', stop: () => Promise.all(threads.map((each) => each.stop())) }, api], logger, 5000)
  return 0
}
