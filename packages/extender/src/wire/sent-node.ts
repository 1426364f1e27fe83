import type { Node } from '@berth/api/types/core/v1'
import { RequestError } from '../errors.ts'
import { skipValue } from './scan.ts'

/** A whole node as it was sent: parsed only where that is needed, and sent back as the same bytes. */
export class SentNode {
  readonly start: number
  readonly end: number
  readonly name: string
  readonly uid: string
  readonly resourceVersion: string
  readonly #text: Buffer
  readonly #path: string
  #node: Node | undefined

  constructor(text: Buffer, start: number, end: number, path: string, head: Head | undefined) {
    this.start = start
    this.end = end
    this.#text = text
    this.#path = path
    if (!head) this.#node = this.#parse()
    this.name = head?.name ?? this.#node?.metadata.name ?? ''
    this.uid = head?.uid ?? this.#node?.metadata.uid ?? ''
    this.resourceVersion = head?.resourceVersion ?? this.#node?.metadata.resourceVersion ?? ''
  }

  get node(): Node {
    return this.#node ??= this.#parse()
  }

  #parse(): Node {
    let node: Partial<Node> | null
    try {
      node = JSON.parse(this.#text.toString('utf8', this.start, this.end)) as Partial<Node> | null
    } catch (error) {
      throw new RequestError(400, `${this.#path}: ${(error as Error).message}`, { cause: error })
    }
    if (typeof node?.metadata?.name !== 'string' || node.metadata.name === '') throw new RequestError(400, `${this.#path}.metadata.name: Required value`)
    return { ...node, metadata: node.metadata, spec: node.spec ?? {} }
  }
}

interface Head { readonly name: string; readonly uid: string; readonly resourceVersion: string }

/** Go writes a node's name, uid and version first: where they stand there, the rest need not be parsed. */
const headPattern = /^\{(?:"kind":"Node",)?(?:"apiVersion":"v1",)?"metadata":\{"name":"([^"\\]+)",(?:"generateName":"[^"\\]*",)?"uid":"([^"\\]+)","resourceVersion":"([^"\\]+)"/
const prefix = Buffer.from('{"metadata":{"name":"')
const quote = 0x22

/** How many nodes' bytes are kept at most. */
const maxKept = 200_000

/**
 * Reads whole nodes, and remembers their bytes: a scheduler sends the same nodes with every pod, and bytes that are the
 * same as before need not be gone through again.
 */
export class NodeReader {
  readonly #kept = new Map<string, { readonly bytes: Buffer; readonly head: Head }>()

  /** The node that begins at `start`. Throws ScanError or RequestError. */
  read(text: Buffer, start: number, path: string): SentNode {
    const nameStart = start + prefix.length
    const nameEnd = nameStart <= text.length && text.compare(prefix, 0, prefix.length, start, nameStart) === 0 ? text.indexOf(quote, nameStart) : -1
    const guess = nameEnd < 0 ? '' : text.toString('latin1', nameStart, nameEnd)
    const before = this.#kept.get(guess)
    if (before) {
      const end = start + before.bytes.length
      if (end < text.length && before.bytes.compare(text, start, end) === 0) return new SentNode(text, start, end, path, before.head)
    }
    const end = skipValue(text, start)
    const [, name, uid, resourceVersion] = headPattern.exec(text.toString('latin1', start, Math.min(end, start + 600))) ?? []
    if (name === undefined || uid === undefined || resourceVersion === undefined) return new SentNode(text, start, end, path, undefined)
    const head = { name, uid, resourceVersion }
    if (this.#kept.size >= maxKept) this.#kept.clear()
    // A copy: a piece of the request would keep the whole of it.
    this.#kept.set(name, { bytes: Buffer.from(text.subarray(start, end)), head })
    return new SentNode(text, start, end, path, head)
  }
}
