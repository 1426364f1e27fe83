import type { Storage } from '../storage/storage.ts'
import { StorageConflict } from '../storage/storage.ts'
import { AllocationError } from './cluster-ip-allocator.ts'
import { PortBitmap, type PortRange } from './port-bitmap.ts'

const key = '/registry/ranges/servicenodeports'
const attempts = 256

type Change<T> = (bitmap: PortBitmap) => { next: PortBitmap, result: T }

interface Waiting {
  attempt(bitmap: PortBitmap): { next: PortBitmap, settle(): void }
  reject(error: unknown): void
}

/**
 * Gives out node ports. Which are taken is one value in the storage (upstream's RangeAllocation: a bitmap under its range), changed by
 * compare-and-swap, so several servers on one storage agree.
 */
export class NodePortAllocator {
  readonly range: PortRange
  readonly #storage: Pick<Storage, 'confirm' | 'write'>
  readonly #waiting: Waiting[] = []
  #working = false

  constructor(storage: Pick<Storage, 'confirm' | 'write'>, range: PortRange) {
    this.#storage = storage
    this.range = range
  }

  /**
   * Takes what `choose` picks, in one step: it is given the ports as they are and says which it takes (called again where somebody else was faster).
   * Throws what `choose` throws. With `dryRun` nothing is stored.
   */
  async take<T>(choose: (bitmap: PortBitmap) => { taken: Iterable<number>, result: T }, dryRun: boolean): Promise<T> {
    return this.#change((bitmap) => {
      const { taken, result } = choose(bitmap)
      return { next: bitmap.with(taken), result }
    }, dryRun)
  }

  /** Gives ports back. */
  async release(ports: readonly number[]): Promise<void> {
    if (ports.length > 0) await this.#change((bitmap) => ({ next: bitmap.with([], ports), result: undefined }), false)
  }

  /** The ports as they are. */
  async read(): Promise<PortBitmap> {
    return this.#decode((await this.#storage.confirm(key))?.value)
  }

  async #change<T>(change: Change<T>, dryRun: boolean): Promise<T> {
    if (dryRun) return change(await this.read()).result
    return new Promise((resolve, reject) => {
      this.#waiting.push({
        attempt(bitmap) {
          // What a change comes to is known once the write is: it may be tried again on another bitmap.
          try {
            const { next, result } = change(bitmap)
            return { next, settle: () => resolve(result) }
          } catch (error) {
            return { next: bitmap, settle: () => reject(error) }
          }
        },
        reject,
      })
      if (!this.#working) void this.#work()
    })
  }

  /** Changes that come while a write is under way go into the next one together: everybody's number is in one value. */
  async #work(): Promise<void> {
    this.#working = true
    while (this.#waiting.length > 0) {
      const group = this.#waiting.splice(0)
      try {
        for (const settle of await this.#write(group)) settle()
      } catch (error) {
        for (const { reject } of group) reject(error)
      }
    }
    this.#working = false
  }

  async #write(group: readonly Waiting[]): Promise<(() => void)[]> {
    for (let attempt = 1; ; attempt++) {
      const current = await this.#storage.confirm(key)
      const before = this.#decode(current?.value)
      let bitmap = before
      const settles = group.map((waiting) => {
        const { next, settle } = waiting.attempt(bitmap)
        bitmap = next
        return settle
      })
      if (Buffer.compare(before.bytes, bitmap.bytes) === 0) return settles
      const bytes = this.#encode(bitmap)
      try {
        await this.#storage.write({ key, expected: current?.modRevision ?? 0, value: () => bytes })
        return settles
      } catch (error) {
        if (!(error instanceof StorageConflict)) throw error
        if (attempt >= attempts) throw new Error('node ports are being allocated by too many servers at once', { cause: error })
      }
    }
  }

  #encode(bitmap: PortBitmap): Uint8Array {
    return Buffer.from(JSON.stringify({
      kind: 'RangeAllocation', apiVersion: 'v1', metadata: {}, range: `${this.range.from}-${this.range.to}`, data: bigEndian(bitmap.bytes).toString('base64'),
    }))
  }

  /** A range that was configured otherwise before keeps the ports that are in both. */
  #decode(value: Uint8Array | undefined): PortBitmap {
    const empty = new PortBitmap(this.range)
    if (!value) return empty
    const stored = JSON.parse(Buffer.from(value).toString('utf8')) as { range: string, data: string }
    const [from = 0, to = 0] = stored.range.split('-').map(Number)
    const bits = Buffer.from(stored.data, 'base64').reverse()
    if (from === this.range.from && to === this.range.to) return new PortBitmap(this.range, bits)
    return empty.with(new PortBitmap({ from, to }, bits).ports())
  }
}

/** Upstream stores the bitmap as one big number: the first port is its lowest bit, and it has no leading zeros. */
function bigEndian(bits: Uint8Array): Buffer {
  const number = Buffer.from(bits).reverse()
  const first = number.findIndex((byte) => byte !== 0)
  return number.subarray(first < 0 ? number.length : first)
}

/** Checks that a port can be had; throws AllocationError in upstream's words. */
export function requirePort(bitmap: PortBitmap, port: number, alreadyChosen: ReadonlySet<number>): void {
  if (!bitmap.inRange(port)) throw new AllocationError(`provided port is not in the valid range. The range of valid ports is ${bitmap.range.from}-${bitmap.range.to}`)
  if (bitmap.has(port) || alreadyChosen.has(port)) throw new AllocationError('provided port is already allocated')
}
