import { Resolver } from 'node:dns/promises'
import fs from 'node:fs'
import os from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { coordination, core, discovery } from '@berth/api'
import type { Lease } from '@berth/api/types/coordination/v1'
import type { Node } from '@berth/api/types/core/v1'
import { createClient, transportFromKubeconfig, type KubeClient } from '@berth/kube'
import { TimeoutError } from '../errors.ts'
import { nodeAddress, type Instance } from '../instance/instance.ts'
import type { Layout } from '../instance/layout.ts'
import { processStatus } from '../supervisor/supervisor.ts'

type Detail = (text: string) => void

/** Asks again and again until the answer is not undefined. A failure to ask is an answer not yet had. */
export async function poll<T>(what: string, deadline: number, signal: AbortSignal, ask: () => Promise<T | undefined>): Promise<T> {
  let last: unknown
  for (;;) {
    try {
      const answer = await ask()
      if (answer !== undefined) return answer
      last = undefined
    } catch (error) {
      last = error
    }
    signal.throwIfAborted()
    if (Date.now() > deadline) throw new TimeoutError(`${what}${last instanceof Error ? ` (${last.message})` : ''}`, { cause: last })
    await sleep(40)
  }
}

/** Waits for the administrator's kubeconfig and for /readyz; gives a client. */
export async function waitForServer(layout: Layout, deadline: number, signal: AbortSignal, detail: Detail = () => undefined): Promise<KubeClient> {
  return poll('the API server is not ready', deadline, signal, async () => {
    if (!fs.existsSync(layout.kubeconfig)) return undefined
    const transport = await transportFromKubeconfig(layout.kubeconfig)
    const client = createClient(transport, { userAgent: 'berth' })
    try {
      const answer = await client.raw({ method: 'GET', path: '/readyz', signal: AbortSignal.timeout(5000) })
      let text = ''
      for await (const chunk of answer.body) text += Buffer.from(chunk).toString()
      if (answer.status === 200) return client
      detail(text.slice(0, 60))
    } catch (error) {
      await transport.close()
      throw error
    }
    await transport.close()
    return undefined
  })
}

/**
 * The nodes that are Ready by word of the agent that runs now: a Ready condition outlives the process that set it, so the node's
 * Lease must have been renewed since its agent started. `startedAt`: when each node's agent did, in milliseconds since the epoch.
 */
export function readyNodes(names: readonly string[], nodes: readonly Node[], leases: readonly Lease[], startedAt: ReadonlyMap<string, number>): string[] {
  return names.filter((name) => {
    const node = nodes.find((n) => n.metadata.name === name)
    const renewed = Date.parse(leases.find((l) => l.metadata.name === name)?.spec?.renewTime ?? '')
    const started = startedAt.get(name)
    return started !== undefined && renewed >= started
      && node?.status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') === true && !node.spec.taints?.some((t) => t.key === 'node.kubernetes.io/not-ready')
  })
}

/** When each node's agent was started, by what the supervisor and the kernel say. */
async function agentStarts(layout: Layout): Promise<Map<string, number>> {
  // The kernel counts in ticks of 10 ms since boot (proc(5)).
  const boot = Date.now() - os.uptime() * 1000
  const agents = (await processStatus(layout) ?? []).filter((p) => p.state === 'running' && p.name.startsWith('agent-'))
  return new Map(agents.map((p) => [p.name.slice('agent-'.length), boot + Number(p.startTime) * 10]))
}

/** Waits until every node of the instance is Ready, as its agent of now says. */
export async function waitForNodes(client: KubeClient, layout: Layout, instance: Instance, deadline: number, signal: AbortSignal, detail: Detail = () => undefined): Promise<void> {
  await poll('the nodes are not Ready', deadline, signal, async () => {
    const [nodes, leases, starts] = await Promise.all([client.list(core.nodes), client.list(coordination.leases, { namespace: 'kube-node-lease' }), agentStarts(layout)])
    const ready = readyNodes(instance.nodes, nodes.items, leases.items, starts)
    detail(`${ready.length} of ${instance.nodes.length} Ready`)
    return ready.length === instance.nodes.length ? true : undefined
  })
}

/** Waits until the cluster's DNS answers on every node, and is what the kube-dns Service leads to. */
export async function waitForDns(client: KubeClient, instance: Instance, deadline: number, signal: AbortSignal): Promise<void> {
  await poll('the cluster\'s DNS does not serve', deadline, signal, async () => {
    await Promise.all(instance.nodes.map(async (node) => {
      const resolver = new Resolver({ timeout: 500, tries: 1 })
      resolver.setServers([nodeAddress(instance, node)])
      await resolver.resolve4(`kubernetes.default.svc.${instance.clusterDomain}`)
    }))
    const { items } = await client.list(discovery.endpointslices, { namespace: 'kube-system', labelSelector: 'kubernetes.io/service-name=kube-dns' })
    const nodes = new Set(items.flatMap((slice) => (slice.endpoints ?? []).filter((e) => e.conditions?.ready !== false).map((e) => e.nodeName)))
    return instance.nodes.every((node) => nodes.has(node)) ? true : undefined
  })
}
