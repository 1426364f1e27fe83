import type { Node, Pod } from '@berth/api/types/core/v1'
import { get } from './kubectl.ts'

/** Where the guestbook's NodePort is: the first node's address. */
export async function guestbookUrl(): Promise<string> {
  const { items } = await get<{ items: Node[] }>('nodes')
  const address = items[0]?.status?.addresses?.find((a) => a.type === 'InternalIP')?.address
  if (!address) throw new Error('the node has no InternalIP')
  return `http://${address}:30080`
}

/** The entries as JSON, read from a follower by whichever pod answers. */
export async function entries(url: string): Promise<{ pod: string; entries: string[] }> {
  const answer = await fetch(`${url}/entries`, { signal: AbortSignal.timeout(5000), headers: { connection: 'close' } })
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`)
  return await answer.json() as { pod: string; entries: string[] }
}

/** Posts an entry as the page's form does. */
export async function sign(url: string, entry: string): Promise<void> {
  const answer = await fetch(`${url}/entries`, { method: 'POST', body: new URLSearchParams({ entry }), redirect: 'manual', signal: AbortSignal.timeout(5000) })
  if (answer.status !== 303) throw new Error(`${answer.status} ${await answer.text()}`)
}

/** The pods of a label selector, in the default namespace, that are not on their way out. */
export async function podsOf(selector: string): Promise<Pod[]> {
  const { items } = await get<{ items: Pod[] }>('pods', '-l', selector)
  return items.filter((pod) => !pod.metadata.deletionTimestamp)
}

/** Whether a pod is Ready. */
export function isReady(pod: Pod): boolean {
  return pod.status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') ?? false
}

/** Restarts of a pod's containers, added up. */
export function restarts(pod: Pod): number {
  return (pod.status?.containerStatuses ?? []).reduce((sum, c) => sum + c.restartCount, 0)
}
