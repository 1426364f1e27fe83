import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import {
  CommandError, createClient, createInformers, createMetricsRegistry, defineCommand, delegatedAuthentication, delegatedAuthorization, errorText, runLeaderElection,
  kubeconfigHost, meteredTransport, selfSignedServing, startComponentServer, transportFromKubeconfig, workQueueMetrics, type CommandIo, type ComponentServer, type FlagSpecs, type FlagValues, type KubeClient, type RunningPart,
} from '@berth/kube'
import { controllerFeatures, knownFeatures } from './features.ts'
import { chooseControllers, controllers } from './registry.ts'
import { startControllers } from './start-controllers.ts'

const listed = (which: typeof controllers): string => which.map((controller) => controller.name).toSorted().join(', ')
const offByDefault = controllers.filter((controller) => controller.offByDefault === true)

const flags = {
  kubeconfig: { type: 'string', description: 'Path to kubeconfig file with authorization and master location information. Without it, $KUBECONFIG, ~/.kube/config or the pod’s service account.', group: 'Generic' },
  controllers: { type: 'string[]', default: ['*'], description: `A list of controllers to enable. '*' enables all on-by-default controllers, 'foo' enables the controller named 'foo', '-foo' disables the controller named 'foo'. All controllers: ${listed(controllers)}. Disabled-by-default controllers: ${listed(offByDefault)}`, group: 'Generic' },
  'kube-api-content-type': { type: 'string', default: 'application/json', description: 'Content type of requests sent to apiserver; only application/json is served.', group: 'Generic' },
  'feature-gates': { type: 'string', default: '', description: `A set of key=value pairs that describe feature gates for alpha/experimental features. Options are: ${knownFeatures.join(', ')}`, group: 'Generic' },
  'leader-elect': { type: 'boolean', default: true, description: 'Start a leader election client and gain leadership before executing the main loop. Disable this when running one instance.', group: 'Leader election' },
  'leader-elect-lease-duration': { type: 'duration', default: '15s', description: 'How long non-leader candidates wait after observing a renewal before they take over.', group: 'Leader election' },
  'leader-elect-renew-deadline': { type: 'duration', default: '10s', description: 'How long the leader tries to renew before it stops leading. Must be less than the lease duration.', group: 'Leader election' },
  'leader-elect-retry-period': { type: 'duration', default: '2s', description: 'Pause between tries to acquire or renew.', group: 'Leader election' },
  'leader-elect-resource-name': { type: 'string', default: 'kube-controller-manager', description: 'The name of the Lease.', group: 'Leader election' },
  'leader-elect-resource-namespace': { type: 'string', default: 'kube-system', description: 'The namespace of the Lease.', group: 'Leader election' },
  'bind-address': { type: 'string', default: '0.0.0.0', description: 'The address on which to listen for the --secure-port port.', group: 'Secure serving' },
  'secure-port': { type: 'number', default: 10257, description: 'The port on which to serve HTTPS with authentication and authorization. 0: none.', group: 'Secure serving' },
  'tls-cert-file': { type: 'string', description: 'File containing the x509 certificate for HTTPS. Without it, a self-signed one is made.', group: 'Secure serving' },
  'tls-private-key-file': { type: 'string', description: 'File containing the private key matching --tls-cert-file.', group: 'Secure serving' },
  'client-ca-file': { type: 'string', description: 'A request with a client certificate signed by one of these authorities is authenticated by its common name.', group: 'Authentication' },
  'root-ca-file': { type: 'string', description: 'The authority to publish in each namespace as kube-root-ca.crt.', group: 'Service accounts' },
  'service-account-private-key-file': { type: 'string', description: 'The private key that signs service account tokens in Secrets. Without it, none are made.', group: 'Service accounts' },
  'cluster-signing-cert-file': { type: 'string', description: 'The authority that signs approved certificate requests. Requires --cluster-signing-key-file; without both, none are signed.', group: 'Csrsigning controller' },
  'cluster-signing-key-file': { type: 'string', description: 'The private key of --cluster-signing-cert-file.', group: 'Csrsigning controller' },
  'cluster-signing-duration': { type: 'duration', default: '8760h0m0s', description: 'The longest that a signed certificate lasts.', group: 'Csrsigning controller' },
  'cluster-cidr': { type: 'string[]', description: 'CIDR range for pods in cluster (one of each family). Requires --allocate-node-cidrs to be true.', group: 'Node IPAM' },
  'allocate-node-cidrs': { type: 'boolean', description: 'Should CIDRs for pods be allocated to nodes.', group: 'Node IPAM' },
  'node-cidr-mask-size': { type: 'number', description: 'Mask size for node cidr in cluster; 24 for IPv4 and 64 for IPv6 without it.', group: 'Node IPAM' },
  'node-cidr-mask-size-ipv4': { type: 'number', description: 'Mask size for IPv4 node cidr in a dual-stack cluster.', group: 'Node IPAM' },
  'node-cidr-mask-size-ipv6': { type: 'number', description: 'Mask size for IPv6 node cidr in a dual-stack cluster.', group: 'Node IPAM' },
  'concurrent-deployment-syncs': { type: 'number', default: 5, description: 'The number of deployment objects that are allowed to sync concurrently.', group: 'Deployment controller' },
  'concurrent-replicaset-syncs': { type: 'number', default: 5, description: 'The number of replica sets that are allowed to sync concurrently.', group: 'Replicaset controller' },
  'concurrent-service-endpoint-syncs': { type: 'number', default: 5, description: 'The number of services whose endpoint slices may be synced concurrently.', group: 'Endpointslice controller' },
  'max-endpoints-per-slice': { type: 'number', default: 100, description: 'The maximum number of endpoints that will be added to an EndpointSlice.', group: 'Endpointslice controller' },
  'mirroring-max-endpoints-per-subset': { type: 'number', default: 1000, description: 'The maximum number of endpoints that will be added to an EndpointSlice by the EndpointSliceMirroring controller.', group: 'Endpointslicemirroring controller' },
  'concurrent-namespace-syncs': { type: 'number', default: 10, description: 'The number of namespace objects that are allowed to sync concurrently.', group: 'Namespace controller' },
  'concurrent-serviceaccount-token-syncs': { type: 'number', default: 5, description: 'The number of namespaces whose service account is synced concurrently.', group: 'Service accounts' },
  'concurrent-gc-syncs': { type: 'number', default: 20, description: 'The number of garbage collector workers that are allowed to sync concurrently.', group: 'Garbagecollector controller' },
  'terminated-pod-gc-threshold': { type: 'number', default: 12500, description: 'Number of terminated pods that can exist before the terminated pod garbage collector starts deleting terminated pods. If <= 0, it is disabled.', group: 'Podgc controller' },
  'concurrent-horizontal-pod-autoscaler-syncs': { type: 'number', default: 5, description: 'The number of horizontal pod autoscaler objects that are allowed to sync concurrently.', group: 'Horizontalpodautoscaling controller' },
  'horizontal-pod-autoscaler-sync-period': { type: 'duration', default: '15s', description: 'The period for syncing the number of pods in horizontal pod autoscaler.', group: 'Horizontalpodautoscaling controller' },
  'horizontal-pod-autoscaler-downscale-stabilization': { type: 'duration', default: '5m0s', description: 'How far an autoscaler looks back: it does not scale down below any recommendation of that time.', group: 'Horizontalpodautoscaling controller' },
  'horizontal-pod-autoscaler-tolerance': { type: 'number', default: 0.1, description: 'The least change (from 1.0) of the ratio of desired to actual metrics for which an autoscaler scales.', group: 'Horizontalpodautoscaling controller' },
  'horizontal-pod-autoscaler-cpu-initialization-period': { type: 'duration', default: '5m0s', description: 'The period after a pod’s start in which CPU samples may be skipped.', group: 'Horizontalpodautoscaling controller' },
  'horizontal-pod-autoscaler-initial-readiness-delay': { type: 'duration', default: '30s', description: 'The period after a pod’s start in which changes of readiness are taken as initial readiness.', group: 'Horizontalpodautoscaling controller' },
  'node-monitor-period': { type: 'duration', default: '5s', description: 'The period for looking at nodes’ health.', group: 'Nodelifecycle controller' },
  'node-monitor-grace-period': { type: 'duration', default: '50s', description: 'How long a running node may be silent before it is marked unhealthy.', group: 'Nodelifecycle controller' },
  'node-eviction-rate': { type: 'number', default: 0.1, description: 'Number of nodes per second on which pods are deleted in case of node failure when a zone is healthy.', group: 'Nodelifecycle controller' },
  'secondary-node-eviction-rate': { type: 'number', default: 0.01, description: 'Number of nodes per second on which pods are deleted in case of node failure when a zone is unhealthy; 0 where the zone has no more nodes than --large-cluster-size-threshold.', group: 'Nodelifecycle controller' },
  'large-cluster-size-threshold': { type: 'number', default: 50, description: 'Number of nodes up to which a zone is treated as small: there --secondary-node-eviction-rate is 0.', group: 'Nodelifecycle controller' },
  'unhealthy-zone-threshold': { type: 'number', default: 0.55, description: 'Fraction of nodes in a zone which needs to be not ready (minimum 3) for the zone to be treated as unhealthy.', group: 'Nodelifecycle controller' },
  'disable-force-detach-on-timeout': { type: 'boolean', default: false, description: 'Do not detach volumes from unhealthy nodes while they are still mounted there.', group: 'Attachdetach controller' },
  'node-startup-grace-period': { type: 'duration', default: '1m0s', description: 'How long a starting node may be silent before it is marked unhealthy.', group: 'Nodelifecycle controller' },
} as const satisfies FlagSpecs

type Flags = FlagValues<typeof flags>

/** `berth controllers`: the controller manager as a process of its own, with kube-controller-manager's flags. */
export const command = defineCommand({
  name: 'berth controllers',
  summary: 'The controller manager: Deployments, ReplicaSets, EndpointSlices, namespaces, garbage collection, node life cycle.',
  flags,
  async run(given, _positionals, io) {
    check(given)
    const rootCa = given['root-ca-file'] === undefined ? '' : await readNamed('root-ca-file', given['root-ca-file'])
    const tokenKey = given['service-account-private-key-file']
    const serviceAccountPrivateKey = tokenKey === undefined ? '' : await readNamed('service-account-private-key-file', tokenKey)
    const [signingCert, signingKey] = [given['cluster-signing-cert-file'], given['cluster-signing-key-file']]
    const signingCa = signingCert === undefined || signingKey === undefined ? undefined
      : { certificate: await readNamed('cluster-signing-cert-file', signingCert), key: await readNamed('cluster-signing-key-file', signingKey) }
    const metrics = await createMetricsRegistry()
    const transport = await meteredTransport(transportFromKubeconfig(given.kubeconfig), metrics, await kubeconfigHost(given.kubeconfig))
    const client = createClient(transport, { userAgent: 'kube-controller-manager', fieldManager: 'kube-controller-manager' })
    const queueObserver = await workQueueMetrics(metrics)
    let leading: RunningPart | undefined
    const server = await serve(given, client, io, metrics)
    const start = async (signal: AbortSignal): Promise<void> => {
      const informers = createInformers(client, { logger: io.logger })
      leading = await startControllers({
        client, informers, logger: io.logger, signal, rootCa, serviceAccountPrivateKey, signingCa, signingDurationSeconds: given['cluster-signing-duration'] / 1000, queueObserver, controllers: given.controllers,
        clusterCidr: given['allocate-node-cidrs'] ? given['cluster-cidr'] : [],
        nodeCidrMaskSizeIpv4: given['node-cidr-mask-size-ipv4'] ?? given['node-cidr-mask-size'] ?? 24,
        nodeCidrMaskSizeIpv6: given['node-cidr-mask-size-ipv6'] ?? given['node-cidr-mask-size'] ?? 64,
        concurrentDeploymentSyncs: given['concurrent-deployment-syncs'], concurrentReplicaSetSyncs: given['concurrent-replicaset-syncs'],
        concurrentEndpointSliceSyncs: given['concurrent-service-endpoint-syncs'], concurrentNamespaceSyncs: given['concurrent-namespace-syncs'],
        concurrentServiceAccountSyncs: given['concurrent-serviceaccount-token-syncs'], concurrentGcSyncs: given['concurrent-gc-syncs'],
        maxEndpointsPerSlice: given['max-endpoints-per-slice'], mirroringMaxEndpointsPerSubset: given['mirroring-max-endpoints-per-subset'], terminatedPodGcThreshold: given['terminated-pod-gc-threshold'],
        horizontalPodAutoscalerSyncPeriod: given['horizontal-pod-autoscaler-sync-period'], horizontalPodAutoscalerDownscaleStabilization: given['horizontal-pod-autoscaler-downscale-stabilization'],
        horizontalPodAutoscalerTolerance: given['horizontal-pod-autoscaler-tolerance'], horizontalPodAutoscalerCpuInitializationPeriod: given['horizontal-pod-autoscaler-cpu-initialization-period'],
        horizontalPodAutoscalerInitialReadinessDelay: given['horizontal-pod-autoscaler-initial-readiness-delay'], concurrentHorizontalPodAutoscalerSyncs: given['concurrent-horizontal-pod-autoscaler-syncs'],
        features: controllerFeatures(given['feature-gates']),
        nodeMonitorPeriod: given['node-monitor-period'], nodeMonitorGracePeriod: given['node-monitor-grace-period'], nodeStartupGracePeriod: given['node-startup-grace-period'],
        nodeEvictionRate: given['node-eviction-rate'], secondaryNodeEvictionRate: given['secondary-node-eviction-rate'], largeClusterSizeThreshold: given['large-cluster-size-threshold'],
        unhealthyZoneThreshold: given['unhealthy-zone-threshold'], disableForceDetachOnTimeout: given['disable-force-detach-on-timeout'],
      })
    }
    try {
      if (!given['leader-elect']) {
        await start(io.signal)
        await new Promise<void>((resolve) => io.signal.aborted ? resolve() : io.signal.addEventListener('abort', () => resolve(), { once: true }))
        return 0
      }
      let failed: unknown
      await runLeaderElection({
        client, signal: io.signal, logger: io.logger, identity: `${hostname()}_${randomUUID()}`,
        lease: { namespace: given['leader-elect-resource-namespace'], name: given['leader-elect-resource-name'] },
        leaseDurationSeconds: given['leader-elect-lease-duration'] / 1000, renewDeadlineSeconds: given['leader-elect-renew-deadline'] / 1000, retryPeriodSeconds: given['leader-elect-retry-period'] / 1000,
        onStarted: (signal) => { start(signal).catch((error: unknown) => { failed = error }) },
        onStopped() {},
      })
      if (failed !== undefined) throw failed
      // A leader that lost its lease must not go on: whoever supervises us starts us again.
      return io.signal.aborted ? 0 : 1
    } finally {
      await leading?.stop()
      await server?.close()
      await transport.close()
    }
  },
})

function check(given: Flags): void {
  try {
    chooseControllers(given.controllers)
  } catch (error) {
    throw new CommandError(`--controllers: ${errorText(error)}`)
  }
  try {
    controllerFeatures(given['feature-gates'])
  } catch (error) {
    throw new CommandError(`invalid argument ${JSON.stringify(given['feature-gates'])} for "--feature-gates" flag: ${errorText(error)}`)
  }
  if (given['concurrent-horizontal-pod-autoscaler-syncs'] < 1) throw new CommandError(`concurrent-horizontal-pod-autoscaler-syncs must be greater than 0, but got ${given['concurrent-horizontal-pod-autoscaler-syncs']}`)
  if (given['kube-api-content-type'] !== 'application/json') throw new CommandError(`invalid argument ${JSON.stringify(given['kube-api-content-type'])} for "--kube-api-content-type" flag: only application/json is served`)
  if ((given['cluster-signing-cert-file'] === undefined) !== (given['cluster-signing-key-file'] === undefined)) throw new CommandError('--cluster-signing-cert-file and --cluster-signing-key-file must be given together')
  if (given['allocate-node-cidrs'] && given['cluster-cidr'].length === 0) throw new CommandError('--cluster-cidr: must be set when --allocate-node-cidrs is true')
  if ((given['tls-cert-file'] === undefined) !== (given['tls-private-key-file'] === undefined)) throw new CommandError('--tls-cert-file and --tls-private-key-file must be given together')
}

async function readNamed(flag: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new CommandError(`--${flag}: ${errorText(error)}`)
  }
}

async function serve(given: Flags, client: KubeClient, io: CommandIo, metrics: Awaited<ReturnType<typeof createMetricsRegistry>>): Promise<ComponentServer | undefined> {
  if (given['secure-port'] === 0) return undefined
  const cert = given['tls-cert-file']
  const key = given['tls-private-key-file']
  const own = cert !== undefined && key !== undefined ? { cert: await readNamed('tls-cert-file', cert), key: await readNamed('tls-private-key-file', key) } : await selfSignedServing('kube-controller-manager')
  const clientCa = given['client-ca-file']
  return startComponentServer({
    name: 'kube-controller-manager', address: given['bind-address'], port: given['secure-port'], metrics, logger: io.logger,
    tls: { ...own, ...(clientCa === undefined ? {} : { clientCa: await readNamed('client-ca-file', clientCa) }) },
    authenticate: delegatedAuthentication({ client }), authorize: delegatedAuthorization({ client }),
    config: () => ({ kubecontrollermanager: Object.fromEntries(Object.entries(given).filter(([name]) => name in flags)) }),
  })
}
