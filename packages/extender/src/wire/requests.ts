import type { Pod } from '@berth/api/types/core/v1'
import { RequestError } from '../errors.ts'
import type { BindArgs, MetaVictims, PreemptArgs } from './protocol.ts'
import { scanList, scanObject, ScanError, skipValue } from './scan.ts'
import type { NodeReader, SentNode } from './sent-node.ts'

/** filter's and prioritize's arguments: names for who keeps nodes itself (nodeCacheCapable), whole nodes for who does not. */
export interface NodesRequest {
  readonly pod: Pod
  readonly nodes: readonly string[] | readonly SentNode[]
  /** The request's bytes, where whole nodes are in it. */
  readonly whole?: Buffer
}

function parsed(bytes: Buffer, path: string): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch (error) {
    throw new RequestError(400, `${path}: ${(error as Error).message}`, { cause: error })
  }
}

/** Where the request's fields are, by their names in lower case: Go's decoder does not mind case, and old clients write it small. `visit` may go through a field itself. */
function fieldsOf(body: Buffer, visit: (name: string, at: number) => number | undefined = () => undefined): Map<string, Buffer> {
  const fields = new Map<string, Buffer>()
  try {
    scanObject(body, 0, (key, at) => {
      const name = key.toLowerCase()
      const end = visit(name, at) ?? skipValue(body, at)
      // null is absence.
      if (end - at !== 4 || body.toString('latin1', at, end) !== 'null') fields.set(name, body.subarray(at, end))
      return end
    })
  } catch (error) {
    if (error instanceof ScanError) throw new RequestError(400, `the request is no JSON object: ${error.message}`, { cause: error })
    throw error
  }
  return fields
}

function podOf(fields: ReadonlyMap<string, Buffer>): Pod {
  const bytes = fields.get('pod')
  if (!bytes) throw new RequestError(400, 'Pod: Required value')
  const pod = parsed(bytes, 'Pod') as Partial<Pod> | null
  if (typeof pod?.metadata?.name !== 'string' || !Array.isArray(pod.spec?.containers)) throw new RequestError(400, 'Pod: metadata.name and spec.containers are required')
  return pod as Pod
}

export function readNodesRequest(body: Buffer, reader: NodeReader): NodesRequest {
  const nodes: SentNode[] = []
  const isNull = (at: number): boolean => body.toString('latin1', at, at + 4) === 'null'
  const fields = fieldsOf(body, (name, at) => name !== 'nodes' || isNull(at) ? undefined : scanObject(body, at, (key, start) =>
    key !== 'items' || isNull(start) ? skipValue(body, start) : scanList(body, start, (item) => {
      const node = reader.read(body, item, `Nodes.items[${nodes.length}]`)
      nodes.push(node)
      return node.end
    })))
  const pod = podOf(fields)
  const names = fields.get('nodenames')
  if (names) {
    const list = parsed(names, 'NodeNames')
    if (!Array.isArray(list) || !list.every((name) => typeof name === 'string')) throw new RequestError(400, 'NodeNames: expected a list of names')
    return { pod, nodes: list }
  }
  if (!fields.has('nodes')) throw new RequestError(400, 'one of Nodes and NodeNames is required')
  return { pod, nodes, whole: body }
}

export function readPreemptRequest(body: Buffer): PreemptArgs {
  const fields = fieldsOf(body)
  const pod = podOf(fields)
  const meta = fields.get('nodenametometavictims')
  const whole = fields.get('nodenametovictims')
  const victims = new Map<string, MetaVictims>()
  const read = (bytes: Buffer, path: string, uidOf: (pod: unknown) => string | undefined): void => {
    for (const [node, value] of Object.entries(parsed(bytes, path) as Record<string, { Pods?: unknown[] | null; NumPDBViolations?: number } | null>)) {
      const pods = (value?.Pods ?? []).map((each, i) => {
        const uid = uidOf(each)
        if (uid === undefined) throw new RequestError(400, `${path}[${node}].Pods[${i}]: a pod without a UID`)
        return { UID: uid }
      })
      victims.set(node, { Pods: pods, NumPDBViolations: value?.NumPDBViolations ?? 0 })
    }
  }
  if (meta && meta.toString('latin1', 0, 2) !== '{}') read(meta, 'NodeNameToMetaVictims', (each) => (each as { UID?: string } | null)?.UID)
  else if (whole) read(whole, 'NodeNameToVictims', (each) => (each as Pod | null)?.metadata.uid)
  return { pod, victims }
}

export function readBindRequest(body: Buffer): BindArgs {
  const fields = fieldsOf(body)
  const one = (name: string, required = true): string => {
    const bytes = fields.get(name.toLowerCase())
    const value = bytes ? parsed(bytes, name) : ''
    if (typeof value !== 'string') throw new RequestError(400, `${name}: expected a string`)
    if (required && value === '') throw new RequestError(400, `${name}: Required value`)
    return value
  }
  return { podName: one('PodName'), podNamespace: one('PodNamespace'), podUid: one('PodUID', false), node: one('Node') }
}
