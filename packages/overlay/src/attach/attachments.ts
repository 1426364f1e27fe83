import { runNetActions } from '@berth/native'
import type { Allocation, Allocator, PortMapping } from '../allocator/allocator.ts'
import type { PluginConnection } from '../cni/connection.ts'
import type { CniRequest } from '../cni/request.ts'
import { addResult } from '../cni/result.ts'
import { cniCodes, CniFailure, OverlayError } from '../errors.ts'
import type { Ipv4Range } from '../ipv4.ts'
import { KeyedLocks } from '../locks.ts'
import { attachActions, checkActions, detachActions, findMissing } from './actions.ts'
import { hostDevice, isHostDevice } from './names.ts'

export interface AttachmentsOptions {
  allocator: Allocator
  /** The node's pod range; undefined until it is known. */
  range: () => Ipv4Range | undefined
  mtu: () => Promise<number>
  /** Called when these host ports came or went; resolves when the kernel has it. */
  portsChanged: (ports: readonly PortMapping[]) => Promise<void>
  nodeNetns: string
}

type Of<C extends CniRequest['command']> = Extract<CniRequest, { command: C }>

/**
 * The attachments of this node's pods: CNI's operations. Each may be repeated at any point and after any crash. The address is on disk before anything is made in
 * the kernel, and is taken back only after everything is gone from it.
 */
export class Attachments {
  readonly #o: AttachmentsOptions
  readonly #locks = new KeyedLocks()

  constructor(options: AttachmentsOptions) {
    this.#o = options
  }

  /** Serves one CNI call. Gives the result to print, if there is one; throws CniFailure. */
  serve(request: CniRequest, connection: PluginConnection): Promise<Record<string, unknown> | undefined> {
    switch (request.command) {
      case 'ADD': return this.#locks.run(device(request), () => this.#add(request, connection))
      case 'DEL': return this.#locks.run(device(request), () => this.#remove(request.containerId, request.ifName))
      case 'CHECK': return this.#locks.run(device(request), () => this.#check(request, connection))
      case 'GC': return this.#collect(request)
      case 'STATUS': return this.#status()
    }
  }

  /**
   * Brings addresses and devices in line: an address whose device is gone is free (its namespace died, the node restarted), a device of ours without an address is
   * removed (a crash in the middle). Calls in progress are waited for. Gives how many of each there were.
   */
  async reconcile(): Promise<{ released: number; removed: number }> {
    const devices = await this.#devices()
    const suspects = this.#o.allocator.list().filter((allocation) => !devices.has(device(allocation)))
    let released = 0
    let removed = 0
    // What was seen may be old by the time the lock is ours, so each is looked at again.
    for (const { containerId, ifName } of suspects) {
      const name = hostDevice(containerId, ifName)
      await this.#locks.run(name, async () => {
        if (!this.#o.allocator.get(containerId, ifName) || (await this.#devices()).has(name)) return
        await this.#release(containerId, ifName)
        released++
      })
    }
    const owned = (): Set<string> => new Set(this.#o.allocator.list().map(device))
    for (const name of devices.difference(owned())) {
      await this.#locks.run(name, async () => {
        if (owned().has(name)) return
        await runNetActions([`optional link-del ${name}`], { netns: this.#o.nodeNetns })
        removed++
      })
    }
    return { released, removed }
  }

  async #devices(): Promise<Set<string>> {
    return new Set((await runNetActions(['list-links'], { netns: this.#o.nodeNetns })).map((line) => line.split(' ')[1] ?? '').filter(isHostDevice))
  }

  async #add(request: Of<'ADD'>, connection: PluginConnection): Promise<Record<string, unknown>> {
    const { containerId, ifName, netns } = request
    const mtu = await this.#o.mtu()
    const { address } = await this.#allocate(containerId, ifName, request.ports)
    try {
      const answer = await connection.execute(attachActions({ containerId, ifName, netns, address, mtu, nodeNetns: this.#o.nodeNetns }))
      if (!answer.ok) throw new CniFailure(cniCodes.kernel, `cannot attach ${ifName} of container ${containerId}`, answer.message)
      if (request.ports.length > 0) await this.#o.portsChanged(request.ports)
    } catch (error) {
      // Also when the plugin was killed half way: nothing of the attempt stays.
      await this.#remove(containerId, ifName)
      throw error
    }
    return addResult(request.version, { containerId, ifName, netns, address, mtu, dns: request.dns })
  }

  // The allocator takes one call at a time; it never waits for the kernel's network.
  #allocate(containerId: string, ifName: string, ports: PortMapping[]): Promise<Allocation> {
    return this.#locks.run('allocator', async () => {
      const range = this.#o.range()
      if (!range) throw new CniFailure(cniCodes.tryAgain, 'this node has no pod range (spec.podCIDR) yet')
      const taken = findTakenPort(this.#o.allocator.list().filter((other) => other.containerId !== containerId || other.ifName !== ifName), ports)
      if (taken) throw new CniFailure(cniCodes.hostPortTaken, `host port ${taken.port.hostPort}/${taken.port.protocol} is taken by container ${taken.by.containerId}`)
      try {
        return await this.#o.allocator.allocate(range, containerId, ifName, ports)
      } catch (error) {
        if (error instanceof OverlayError && error.reason === 'Exhausted') throw new CniFailure(cniCodes.exhausted, error.message, '', { cause: error })
        throw error
      }
    })
  }

  // The daemon does this itself, not the plugin: it also has to work when the plugin is gone.
  async #remove(containerId: string, ifName: string): Promise<undefined> {
    await runNetActions(detachActions(containerId, ifName, this.#o.nodeNetns))
    await this.#release(containerId, ifName)
  }

  async #release(containerId: string, ifName: string): Promise<void> {
    const had = this.#o.allocator.get(containerId, ifName)
    if (!had) return
    // Under the allocator's lock until the host ports are gone, too: they must not lead to the address's next owner.
    await this.#locks.run('allocator', async () => {
      await this.#o.allocator.release(containerId, ifName)
      if (had.ports.length > 0) await this.#o.portsChanged(had.ports)
    })
  }

  async #check(request: Of<'CHECK'>, connection: PluginConnection): Promise<undefined> {
    const { containerId, ifName, netns } = request
    const had = this.#o.allocator.get(containerId, ifName)
    if (!had) throw new CniFailure(cniCodes.checkFailed, `container ${containerId} has no address on ${ifName}`)
    const answer = await connection.execute(checkActions({ ifName, netns, nodeNetns: this.#o.nodeNetns }))
    const missing = answer.ok ? findMissing({ containerId, ifName, address: had.address }, answer.lines) : answer.message
    if (missing) throw new CniFailure(cniCodes.checkFailed, `container ${containerId}: missing: ${missing}`)
  }

  async #collect(request: Of<'GC'>): Promise<undefined> {
    const valid = new Set(request.valid.map(device))
    for (const allocation of this.#o.allocator.list()) {
      const name = device(allocation)
      if (!valid.has(name)) await this.#locks.run(name, () => this.#remove(allocation.containerId, allocation.ifName))
    }
  }

  async #status(): Promise<undefined> {
    if (!this.#o.range()) throw new CniFailure(cniCodes.notAvailable, 'this node has no pod range (spec.podCIDR) yet')
  }
}

function device({ containerId, ifName }: { containerId: string; ifName: string }): string {
  return hostDevice(containerId, ifName)
}

/** The first of these ports that another allocation has: the same port and protocol, on the same address or where one of them is on all. */
export function findTakenPort(others: readonly Allocation[], ports: readonly PortMapping[]): { port: PortMapping; by: Allocation } | undefined {
  for (const by of others) {
    for (const port of ports) {
      const clash = by.ports.some((o) => o.hostPort === port.hostPort && o.protocol === port.protocol && (o.hostIP === port.hostIP || o.hostIP === '' || port.hostIP === ''))
      if (clash) return { port, by }
    }
  }
  return undefined
}
