import type { Node, Pod } from '@berth/api/types/core/v1'
import { RequestError } from '../errors.ts'
import type { BindArgs, MetaVictims, PreemptArgs } from './protocol.ts'
import { scanList, scanObject, ScanError, type Range } from './scan.ts'

/** A whole node as it was sent: parsed only where that is needed, and sent back as the same bytes. */
export class SentNode {
  readonly bytes: Buffer
  readonly name: string
  readonly uid: string
  readonly resourceVersion: string
  #node: Node | undefined

  constructor(bytes: Buffer, path: string) {
    this.bytes = bytes
    // Go writes a node's name, uid and version first: where they stand there, the rest need not be parsed.
    const known = /^\{(?:"kind":"Node",)?(?:"apiVersion":"v1",)?"metadata":\{"name":"([^"\\]+)",(?:"generateName":"[^"\\]*",)?"uid":"([^"\\]+)","resourceVersion":"([^"\\]+)"/.exec(bytes.toString('latin1', 0, 600))
    if (!known) this.#node = parseNode(bytes, path)
    this.name = known?.[1] ?? this.#node?.metadata.name ?? ''
    this.uid = known?.[2] ?? this.#node?.metadata.uid ?? ''
    this.resourceVersion = known?.[3] ?? this.#node?.metadata.resourceVersion ?? ''
  }

  get node(): Node {
    return this.#node ??= parseNode(this.bytes, `Nodes.items[${this.name}]`)
  }
}

function parseNode(bytes: Buffer, path: string): Node {
  const node = parsed(bytes, path) as Partial<Node> | null
  if (typeof node?.metadata?.name !== 'string' || node.metadata.name === '') throw new RequestError(400, `${path}.metadata.name: Required value`)
  return { ...node, metadata: node.metadata, spec: node.spec ?? {} }
}

/** filter's and prioritize's arguments: names for who keeps nodes itself (nodeCacheCapable), whole nodes for who does not. */
export interface NodesRequest {
  readonly pod: Pod
  readonly nodes: readonly string[] | readonly SentNode[]
  readonly whole: boolean
}

function parsed(bytes: Buffer, path: string): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch (error) {
    throw new RequestError(400, `${path}: ${(error as Error).message}`, { cause: error })
  }
}

/** The fields of the request by their names in lower case: Go's decoder does not mind case, and old clients write it small. */
function fieldsOf(body: Buffer): Map<string, Range> {
  try {
    return new Map([...scanObject(body)].map(([key, range]) => [key.toLowerCase(), range]))
  } catch (error) {
    if (error instanceof ScanError) throw new RequestError(400, `the request is no JSON object: ${error.message}`, { cause: error })
    throw error
  }
}

function fieldOf(body: Buffer, fields: Map<string, Range>, name: string): Buffer | undefined {
  const range = fields.get(name.toLowerCase())
  const bytes = range && body.subarray(range.start, range.end)
  return bytes && bytes.toString('latin1', 0, 4) !== 'null' ? bytes : undefined
}

function podOf(body: Buffer, fields: Map<string, Range>): Pod {
  const bytes = fieldOf(body, fields, 'Pod')
  if (!bytes) throw new RequestError(400, 'Pod: Required value')
  const pod = parsed(bytes, 'Pod') as Partial<Pod>
  if (typeof pod.metadata?.name !== 'string' || !Array.isArray(pod.spec?.containers)) throw new RequestError(400, 'Pod: metadata.name and spec.containers are required')
  return pod as Pod
}

export function readNodesRequest(body: Buffer): NodesRequest {
  const fields = fieldsOf(body)
  const pod = podOf(body, fields)
  const names = fieldOf(body, fields, 'NodeNames')
  if (names) {
    const list = parsed(names, 'NodeNames')
    if (!Array.isArray(list) || !list.every((name) => typeof name === 'string')) throw new RequestError(400, 'NodeNames: expected a list of names')
    return { pod, nodes: list, whole: false }
  }
  const nodes = fieldOf(body, fields, 'Nodes')
  if (!nodes) throw new RequestError(400, 'one of Nodes and NodeNames is required')
  try {
    const items = scanObject(nodes).get('items')
    const bytes = items && nodes.toString('latin1', items.start, items.start + 4) !== 'null' ? scanList(nodes, items.start) : []
    return { pod, nodes: bytes.map(({ start, end }, i) => new SentNode(nodes.subarray(start, end), `Nodes.items[${i}]`)), whole: true }
  } catch (error) {
    if (error instanceof ScanError) throw new RequestError(400, `Nodes: ${error.message}`, { cause: error })
    throw error
  }
}

export function readPreemptRequest(body: Buffer): PreemptArgs {
  const fields = fieldsOf(body)
  const pod = podOf(body, fields)
  const meta = fieldOf(body, fields, 'NodeNameToMetaVictims')
  const whole = fieldOf(body, fields, 'NodeNameToVictims')
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
    const bytes = fieldOf(body, fields, name)
    const value = bytes ? parsed(bytes, name) : ''
    if (typeof value !== 'string') throw new RequestError(400, `${name}: expected a string`)
    if (required && value === '') throw new RequestError(400, `${name}: Required value`)
    return value
  }
  return { podName: one('PodName'), podNamespace: one('PodNamespace'), podUid: one('PodUID', false), node: one('Node') }
}
