import { core } from '@berth/api'
import type { Node } from '@berth/api/types/core/v1'
import { createInformers, type KubeClient, type Logger } from '@berth/kube'
import { execIn } from '../exec.ts'
import type { Layout } from '../instance/layout.ts'
import { fabricNetns } from './fabric.ts'

const retryMs = 5_000

/** What changes the fabric's routes (`ip -4 route show`) into those to the pods of these nodes, as lines for `ip -batch`. Other routes are left alone. */
export function routeChanges(shown: string, nodes: readonly Node[]): string[] {
  const there = new Map([...shown.matchAll(/^(\S+\/\d+) via (\S+)/gm)].map(([, range = '', gateway = '']) => [range, gateway]))
  const wanted = new Map(nodes.flatMap(({ spec, status }) => {
    const address = status?.addresses?.find(({ type }) => type === 'InternalIP')?.address
    const range = spec?.podCIDR
    return range === undefined || range.includes(':') || address === undefined ? [] : [[range, address] as const]
  }))
  return [
    ...[...there].filter(([range]) => !wanted.has(range)).map(([range, gateway]) => `route del ${range} via ${gateway}`),
    ...[...wanted].filter(([range, gateway]) => there.get(range) !== gateway).map(([range, gateway]) => `route replace ${range} via ${gateway}`),
  ]
}

/**
 * Keeps routes to the pods of every node in the fabric, where the server is: it asks webhooks and other API servers, and proxies to pods.
 * Gives the function that ends it.
 */
export function keepPodRoutes(layout: Layout, client: KubeClient, logger: Logger): () => void {
  const netns = fabricNetns(layout)
  const stop = new AbortController()
  const informers = createInformers(client, { logger })
  const nodes = informers.for(core.nodes)
  let changing: Promise<void> = Promise.resolve()
  let waiting = false
  const change = async (): Promise<void> => {
    waiting = false
    try {
      const lines = routeChanges(await execIn(netns, ['ip', '-4', 'route', 'show']), nodes.store.list())
      if (lines.length === 0) return
      await execIn(netns, ['ip', '-batch', '-'], { input: `${lines.join('\n')}\n` })
      logger.info('Changed the routes to pods', { changes: lines.join('; ') })
    } catch (error) {
      if (stop.signal.aborted) return
      logger.error(error, 'Failed to set the routes to pods')
      setTimeout(soon, retryMs).unref()
    }
  }
  const soon = (): void => {
    if (waiting || stop.signal.aborted) return
    waiting = true
    changing = changing.then(change)
  }
  const placeOf = (node: Node): string => JSON.stringify([node.spec?.podCIDR, node.status?.addresses])
  nodes.on({ added: soon, deleted: soon, updated: (old, now) => { if (placeOf(old) !== placeOf(now)) soon() } })
  informers.start(stop.signal)
  return () => stop.abort()
}
