import { isIP } from 'node:net'
import { type CniAttachment, type CniResult, type CniRunner, containerAddresses, CriError, loadCniConfig, type PodSandboxMetadata } from '@berth/cri'
import { toCriError } from '../errors.ts'
import type { SandboxSpec } from '../state/labels.ts'

/** Pods have one interface, by upstream's name. */
export const podInterface = 'eth0'

/** Attaches sandboxes to the network that the configuration directory has at the moment. */
export interface PodNetwork {
  /** Why pods cannot be attached now, or ''. */
  notReady(signal?: AbortSignal): Promise<string>
  /** Gives the addresses. On failure everything is taken down again. */
  attach(sandboxId: string, pid: number, spec: SandboxSpec, signal?: AbortSignal): Promise<string[]>
  /** Level-triggered: what is not attached is fine. `pid` is 0 where the sandbox does not run. */
  detach(sandboxId: string, pid: number, spec: SandboxSpec | undefined): Promise<void>
  /**
   * Gives back what containers hold that the Engine does not know any more (`known` tells; only attachments made by way of a process' namespace, as Docker shims make them, are
   * looked at), then has the plugins collect (CNI 1.1).
   */
  collect(known: (containerId: string) => Promise<boolean>): Promise<void>
  /** The node's pod CIDRs, comma-separated, as the kubelet tells them: given to the plugins that declare the capability `ipRanges`. Throws CriError for what is none; '' changes nothing. */
  setPodCidr(podCidr: string): void
  /** The addresses of an attached sandbox; none where it is not. */
  addresses(sandboxId: string): Promise<string[]>
}

export function createPodNetwork(runner: CniRunner, confDir: string): PodNetwork {
  const known = new Map<string, string[]>()
  let ipRanges: { subnet: string }[][] | undefined
  const attachmentWithRanges = (sandboxId: string, netns: string, spec: SandboxSpec): CniAttachment => {
    const attachment = attachmentOf(sandboxId, netns, spec)
    return ipRanges ? { ...attachment, capabilityArgs: { ...attachment.capabilityArgs, ipRanges } } : attachment
  }
  const detached = new Set<string>()
  return {
    async notReady(signal) {
      const loaded = await loadCniConfig(confDir)
      if (!loaded.network) return loaded.reason
      try {
        await runner.status(loaded.network, signal)
        return ''
      } catch (error) {
        return (error as Error).message
      }
    },

    async attach(sandboxId, pid, spec, signal) {
      const loaded = await loadCniConfig(confDir)
      if (!loaded.network) throw new CriError('Unavailable', `network is not ready: ${loaded.reason}`)
      const attachment = attachmentWithRanges(sandboxId, namespacePath(pid), spec)
      let result: CniResult
      try {
        result = await runner.add(loaded.network, attachment, signal)
      } catch (error) {
        await runner.del(loaded.network, attachment).catch(() => {})
        throw toCriError(error, `failed to set up sandbox ${sandboxId} network for pod ${podName(spec.metadata)}`)
      }
      const addresses = containerAddresses(result)
      known.set(sandboxId, addresses)
      detached.delete(sandboxId)
      return addresses
    },

    async detach(sandboxId, pid, spec) {
      if (detached.has(sandboxId)) return
      const netns = namespacePath(pid)
      try {
        const done = await runner.delCached(sandboxId, netns)
        // Nothing known: an ADD may have been cut off before its result was kept.
        const loaded = done === 0 && spec ? await loadCniConfig(confDir) : undefined
        if (spec && loaded?.network) await runner.del(loaded.network, attachmentWithRanges(sandboxId, netns, spec))
      } catch (error) {
        throw toCriError(error, `failed to destroy network for sandbox ${sandboxId}`)
      }
      known.delete(sandboxId)
      detached.add(sandboxId)
    },

    async collect(isKnown) {
      for (const { containerId, netns } of await runner.cached()) {
        if (netns.startsWith('/proc/') && !(await isKnown(containerId))) await runner.delCached(containerId, '')
      }
      const loaded = await loadCniConfig(confDir)
      if (!loaded.network) return
      const { name } = loaded.network
      await runner.gc(loaded.network, (await runner.cached()).filter(({ networkName }) => networkName === name))
    },

    setPodCidr(podCidr) {
      if (podCidr !== '') ipRanges = ipRangesOf(podCidr)
    },

    async addresses(sandboxId) {
      if (detached.has(sandboxId)) return []
      const cached = known.get(sandboxId)
      if (cached) return cached
      const result = await runner.cachedResultOf(sandboxId, podInterface)
      if (!result) return []
      const addresses = containerAddresses(result)
      known.set(sandboxId, addresses)
      return addresses
    },
  }
}

/** Pod CIDRs as the capability `ipRanges` has them: a range set each. */
export function ipRangesOf(podCidr: string): { subnet: string }[][] {
  return podCidr.split(',').map((text) => {
    const [address = '', bits = ''] = text.trim().split('/')
    const family = isIP(address)
    if (family === 0 || !/^\d{1,3}$/.test(bits) || Number(bits) > (family === 4 ? 32 : 128)) {
      throw new CriError('InvalidArgument', `runtime_config.network_config.pod_cidr: ${JSON.stringify(text)} is no CIDR`)
    }
    return [{ subnet: text.trim() }]
  })
}

/** The path of a process' network namespace; '' for none. */
export function namespacePath(pid: number): string {
  return pid === 0 ? '' : `/proc/${pid}/ns/net`
}

function podName({ namespace, name }: PodSandboxMetadata): string {
  return `${namespace}/${name}`
}

/** The arguments that Kubernetes runtimes give to plugins. */
export function attachmentOf(sandboxId: string, netns: string, spec: SandboxSpec): CniAttachment {
  const { name, namespace, uid } = spec.metadata
  const capabilityArgs: Record<string, unknown> = {}
  const portMappings = spec.portMappings.filter(({ hostPort }) => hostPort > 0)
  if (portMappings.length > 0) {
    capabilityArgs['portMappings'] = portMappings.map(({ hostPort, containerPort, protocol, hostIp }) => ({
      hostPort,
      containerPort,
      protocol: protocol.toLowerCase(),
      ...(hostIp === '' ? {} : { hostIP: hostIp }),
    }))
  }
  const bandwidth = bandwidthOf(spec.annotations)
  if (bandwidth) capabilityArgs['bandwidth'] = bandwidth
  return {
    containerId: sandboxId,
    netns,
    ifName: podInterface,
    args: [
      ['IgnoreUnknown', '1'],
      ['K8S_POD_NAMESPACE', namespace],
      ['K8S_POD_NAME', name],
      ['K8S_POD_INFRA_CONTAINER_ID', sandboxId],
      ['K8S_POD_UID', uid],
    ],
    capabilityArgs,
  }
}

/** The bandwidth capability of the pod's annotations `kubernetes.io/ingress-bandwidth` and `egress-bandwidth`, in bits a second. Throws where one is no quantity. */
export function bandwidthOf(annotations: Readonly<Record<string, string>>): Record<string, number> | undefined {
  const result: Record<string, number> = {}
  for (const direction of ['ingress', 'egress'] as const) {
    const text = annotations[`kubernetes.io/${direction}-bandwidth`]
    if (text === undefined) continue
    const match = /^(\d+(?:\.\d+)?)(k|M|G|T|Ki|Mi|Gi|Ti)?$/.exec(text)
    if (!match) throw new CriError('InvalidArgument', `annotation kubernetes.io/${direction}-bandwidth: ${JSON.stringify(text)} is no quantity`)
    const unit = match[2] ?? ''
    const power = ['', 'k', 'M', 'G', 'T'].indexOf(unit.charAt(0).replace('K', 'k'))
    result[`${direction}Rate`] = Math.round(Number(match[1]) * (unit.endsWith('i') ? 1024 : 1000) ** power)
    // No burst limit but what the plugin's field can hold, as other runtimes give.
    result[`${direction}Burst`] = 2 ** 31 - 1
  }
  return Object.keys(result).length > 0 ? result : undefined
}
