import fs from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { core, discovery } from '@berth/api'
import { createClient, isNotFound, transportFromKubeconfig, type KubeClient } from '@berth/kube'
import { TimeoutError } from '../errors.ts'
import type { Instance } from '../instance/instance.ts'
import type { Layout } from '../instance/layout.ts'

type Detail = (text: string) => void

/** Asks again and again until the answer is not undefined. A failure to ask is an answer not yet had. */
async function poll<T>(what: string, deadline: number, signal: AbortSignal, ask: () => Promise<T | undefined>): Promise<T> {
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

/** Waits until every node of the instance is Ready by a heartbeat of now. */
export async function waitForNodes(client: KubeClient, instance: Instance, deadline: number, signal: AbortSignal, detail: Detail = () => undefined): Promise<void> {
  await poll('the nodes are not Ready', deadline, signal, async () => {
    const { items } = await client.list(core.nodes)
    const ready = instance.nodes.filter((name) => {
      const node = items.find((n) => n.metadata.name === name)
      const condition = node?.status?.conditions?.find((c) => c.type === 'Ready')
      return condition?.status === 'True' && !node?.spec.taints?.some((t) => t.key === 'node.kubernetes.io/not-ready')
    })
    detail(`${ready.length} of ${instance.nodes.length} Ready`)
    return ready.length === instance.nodes.length ? true : undefined
  })
}

/** Waits until the cluster's DNS has a serving endpoint on every node. */
export async function waitForDns(client: KubeClient, instance: Instance, deadline: number, signal: AbortSignal): Promise<void> {
  await poll('the cluster\'s DNS does not serve', deadline, signal, async () => {
    try {
      await client.get(core.services, 'kube-dns', { namespace: 'kube-system' })
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
    const { items } = await client.list(discovery.endpointslices, { namespace: 'kube-system', labelSelector: 'kubernetes.io/service-name=kube-dns' })
    const nodes = new Set(items.flatMap((slice) => (slice.endpoints ?? []).filter((e) => e.conditions?.ready !== false).map((e) => e.nodeName)))
    return instance.nodes.every((node) => nodes.has(node)) ? true : undefined
  })
}
