import type { Container, Pod, PodQOSClass } from '@berth/api/types/core/v1'
import type { ContainerConfig, Init, LinuxContainerResources, Mount, PodSandboxConfig, Signal } from '@berth/cri'
import { cpuQuota, cpuShares, oomScoreAdj } from '../cgroups/values.ts'
import { containerLogPath, podLogDirectory } from '../logs/paths.ts'
import { annotations, labels } from '../runtime/records.ts'
import { containerHash, type PodContainer } from './containers.ts'
import type { DnsConfig } from './dns.ts'
import { expand } from './expansion.ts'
import { utsHostname } from './host-files.ts'
import { amountsOf, podAmounts } from './resources.ts'
import { containerSecurity, type ImageUser, sandboxSecurity, type SecurityOptions } from './security.ts'

/** What the node adds to every configuration. */
export interface NodeSettings {
  podLogsDir: string
  clusterDomain: string
  cfsQuota: boolean
  cfsPeriodMicros: number
  memoryCapacity: bigint
  security: SecurityOptions
}

const baseLabels = (pod: Pod): Record<string, string> => ({
  [labels.podName]: pod.metadata.name,
  [labels.podNamespace]: pod.metadata.namespace ?? '',
  [labels.podUid]: pod.metadata.uid ?? '',
})

/** CRI resources of amounts; `period` in microseconds. */
function linuxResources(requests: Record<string, bigint>, limits: Record<string, bigint>, node: NodeSettings): Init<LinuxContainerResources> {
  const shares = requests.cpu === undefined && limits.cpu !== undefined ? limits.cpu : (requests.cpu ?? 0n)
  const quota = node.cfsQuota ? cpuQuota(limits.cpu ?? 0n, node.cfsPeriodMicros) : 0
  return {
    cpuShares: BigInt(cpuShares(shares)),
    ...(quota > 0 ? { cpuQuota: BigInt(quota), cpuPeriod: BigInt(node.cfsPeriodMicros) } : {}),
    memoryLimitInBytes: limits.memory ?? 0n,
  }
}

/** The sandbox of a pod. Throws where the host name cannot be had. */
export function sandboxConfig(pod: Pod, attempt: number, dns: DnsConfig, cgroupParent: string, node: NodeSettings): Init<PodSandboxConfig> {
  const hostNetwork = pod.spec.hostNetwork === true
  const requests = podAmounts(pod, 'requests')
  const limits = podAmounts(pod, 'limits')
  return {
    metadata: { name: pod.metadata.name, namespace: pod.metadata.namespace ?? '', uid: pod.metadata.uid ?? '', attempt },
    hostname: hostNetwork ? '' : utsHostname(pod, node.clusterDomain),
    logDirectory: podLogDirectory(node.podLogsDir, pod),
    dnsConfig: { servers: dns.servers, searches: dns.searches, options: dns.options },
    portMappings: hostNetwork ? [] : hostPorts(pod).map((p) => ({ protocol: p.protocol, containerPort: p.containerPort, hostPort: p.hostPort, hostIp: p.hostIp })),
    labels: { ...pod.metadata.labels, ...baseLabels(pod) },
    annotations: {
      ...pod.metadata.annotations,
      'kubernetes.io/config.source': pod.metadata.annotations?.['kubernetes.io/config.source'] ?? 'api',
    },
    linux: {
      cgroupParent,
      securityContext: sandboxSecurity(pod),
      sysctls: Object.fromEntries((pod.spec.securityContext?.sysctls ?? []).map((s) => [s.name, s.value])),
      resources: linuxResources(requests, limits, node),
      overhead: linuxResources(amountsOf(pod.spec.overhead), amountsOf(pod.spec.overhead), node),
    },
  }
}

/** Every port mapping of the pod. */
export function hostPorts(pod: Pod): { protocol: 'TCP' | 'UDP' | 'SCTP'; containerPort: number; hostPort: number; hostIp: string }[] {
  const sidecars = (pod.spec.initContainers ?? []).filter((c) => c.restartPolicy === 'Always')
  return [...sidecars, ...pod.spec.containers].flatMap((c) => c.ports ?? []).map((p) => ({
    protocol: p.protocol ?? 'TCP', containerPort: p.containerPort, hostPort: p.hostPort ?? 0, hostIp: p.hostIP ?? '',
  }))
}

export interface ContainerConfigInput {
  pod: Pod
  container: PodContainer
  restartCount: number
  /** As the runtime calls it after the pull. */
  imageRef: string
  imageUser: ImageUser
  env: Record<string, string>
  mounts: readonly Init<Mount>[]
  qos: PodQOSClass
  node: NodeSettings
  /** For an ephemeral container: the container whose process namespace it joins. */
  targetId?: string
}

/** The configuration of one container instance, with the labels and annotations by which it is found again. */
export function containerConfig(input: ContainerConfigInput): Init<ContainerConfig> {
  const { pod, container, restartCount, env, qos, node } = input
  const c = container.spec
  const lookup = (name: string): string | undefined => env[name]
  const security = containerSecurity(pod, c, input.imageUser, node.security)
  if (input.targetId) security.namespaceOptions = { ...security.namespaceOptions, pid: 'TARGET', targetId: input.targetId }
  return {
    metadata: { name: c.name, attempt: restartCount },
    image: { image: input.imageRef, userSpecifiedImage: c.image ?? '' },
    command: (c.command ?? []).map((x) => expand(x, lookup)),
    args: (c.args ?? []).map((x) => expand(x, lookup)),
    workingDir: c.workingDir ?? '',
    envs: Object.entries(env).map(([key, value]) => ({ key, value: Buffer.from(value, 'utf8') })),
    mounts: [...input.mounts],
    labels: { ...baseLabels(pod), [labels.containerName]: c.name },
    annotations: instanceAnnotations(pod, c, restartCount),
    logPath: containerLogPath(c.name, restartCount),
    stdin: c.stdin === true,
    stdinOnce: c.stdinOnce === true,
    tty: c.tty === true,
    linux: {
      securityContext: security,
      resources: {
        ...linuxResources(amountsOf(c.resources?.requests), amountsOf(c.resources?.limits), node),
        oomScoreAdj: BigInt(oomScoreAdj(pod, c, qos, node.memoryCapacity)),
      },
    },
    stopSignal: (c.lifecycle?.stopSignal ?? 'RUNTIME_DEFAULT') as Signal,
  }
}

function instanceAnnotations(pod: Pod, c: Container, restartCount: number): Record<string, string> {
  const result: Record<string, string> = {
    [annotations.hash]: containerHash(c),
    [annotations.restartCount]: String(restartCount),
    [annotations.terminationMessagePath]: c.terminationMessagePath ?? '/dev/termination-log',
    [annotations.terminationMessagePolicy]: c.terminationMessagePolicy ?? 'File',
  }
  if (c.lifecycle?.preStop) result[annotations.preStopHandler] = JSON.stringify(c.lifecycle.preStop)
  if (c.ports && c.ports.length > 0) result[annotations.ports] = JSON.stringify(c.ports)
  if (pod.metadata.deletionGracePeriodSeconds !== undefined) result[annotations.podDeletionGracePeriod] = String(pod.metadata.deletionGracePeriodSeconds)
  if (pod.spec.terminationGracePeriodSeconds !== undefined) result[annotations.podTerminationGracePeriod] = String(pod.spec.terminationGracePeriodSeconds)
  return result
}

