import { quantityOf, quantityOfMilli } from '@berth/kube'
import type { NodeInfo } from '../framework/node-info.ts'
import type { PodInfo } from '../framework/pod-info.ts'

/** What a node lacks for a pod. */
export interface Deficit {
  /** `200m cpu`, `1 pod`. */
  readonly words: readonly string[]
  /** The missing shares of the node's allocatable amounts, summed: the smaller, the nearer. */
  readonly share: number
}

const binary = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi']

/** Bytes as people write them, rounded up to what can be read: `1536Mi`. */
export function bytesText(bytes: number): string {
  let amount = bytes
  let unit = 0
  while (unit < binary.length - 1 && amount >= 1024 && (amount % 1024 === 0 || amount >= 10 * 1024)) {
    amount /= 1024
    unit++
  }
  return `${Math.ceil(amount)}${binary[unit] ?? ''}`
}

/** An amount of a resource by its API name; cpu in thousandths, all else in whole units. */
export function amountText(name: string, amount: number): string {
  if (name === 'cpu') return quantityOfMilli(BigInt(Math.ceil(amount))).toString()
  if (name === 'memory' || name === 'ephemeral-storage' || name.startsWith('hugepages-')) return bytesText(amount)
  return quantityOf(BigInt(Math.ceil(amount))).toString()
}

/** What the node's free resources lack of what the pod requests; nothing where they suffice. */
export function deficitOf(pod: PodInfo, node: NodeInfo): Deficit {
  const words: string[] = []
  let share = 0
  const missing = (name: string, lack: number, allocatable: number): void => {
    if (lack <= 0) return
    words.push(name === 'pods' ? `${lack} pod` : `${amountText(name, lack)} ${name}`)
    share += allocatable > 0 ? lack / allocatable : 10
  }
  missing('pods', node.pods.size + 1 - node.allowedPods, node.allowedPods)
  for (const name of Object.keys(pod.amounts)) {
    const wanted = pod.requests.get(name)
    if (wanted > 0) missing(name, wanted - (node.allocatable.get(name) - node.requested.get(name)), node.allocatable.get(name))
  }
  return { words, share }
}
