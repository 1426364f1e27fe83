import { core } from '@berth/api'
import type { Node } from '@berth/api/types/core/v1'
import { isNotFound } from '@berth/kube'
import { ignore } from '../common/adoption.ts'
import { keyedController } from '../common/keyed-controller.ts'
import type { Controller } from '../context.ts'
import { CidrSet } from './cidr-set.ts'

/** Gives each node its part of the cluster's pod addresses (`spec.podCIDR`). Which parts are taken is read from the nodes. */
export const nodeIpamController: Controller = {
  name: 'node-ipam-controller',
  async run(context) {
    const { client, settings, logger } = context
    if (settings.clusterCidrs.length === 0) return logger.info('No cluster CIDR is given, no podCIDRs are allocated', { controller: this.name })
    const sets = settings.clusterCidrs.map((cidr) => new CidrSet(cidr, cidr.includes(':') ? settings.nodeCidrMaskSizeIpv6 : settings.nodeCidrMaskSizeIpv4))
    const nodes = context.informers.for(core.nodes)
    const recorder = context.recorder('cidrAllocator')
    const cidrsOf = (node: Node): string[] => node.spec?.podCIDRs ?? (node.spec?.podCIDR === undefined || node.spec.podCIDR === '' ? [] : [node.spec.podCIDR])
    const occupy = (node: Node): void => {
      for (const cidr of cidrsOf(node)) {
        if (!sets.some((set) => set.occupy(cidr))) logger.warn('The podCIDR of a node is not of the cluster CIDR', { node: node.metadata.name, podCIDR: cidr })
      }
    }
    /** What a node is given, by uid, until the informer shows it: a write whose answer was lost is made again with the same. */
    const given = new Map<string, string[]>()
    const release = (cidrs: readonly string[]): void => {
      for (const cidr of cidrs) for (const set of sets) set.release(cidr)
    }
    const frame = keyedController({
      // One at a time: two nodes never race for a range.
      name: 'node_ipam', workers: 1, context, informers: [nodes],
      async sync(key) {
        const node = nodes.store.get(key)
        if (node === undefined || node.metadata.deletionTimestamp !== undefined || cidrsOf(node).length > 0) return
        const uid = node.metadata.uid ?? ''
        const found = given.get(uid) ?? sets.flatMap((set) => set.allocate() ?? [])
        if (found.length < sets.length) {
          release(found)
          recorder.event({ kind: 'Node', apiVersion: 'v1', name: key, uid: node.metadata.uid ?? key }, 'Normal', 'CIDRNotAvailable', `Node ${key} status is now: CIDRNotAvailable`)
          throw new Error('CIDR allocation failed; there are no remaining CIDRs left to allocate in the accepted range')
        }
        given.set(uid, found)
        const patch = { metadata: { uid }, spec: { podCIDR: found[0], podCIDRs: found } }
        await client.patch(core.nodes, key, { type: 'strategic', body: patch }).catch(ignore(isNotFound)).catch((error: unknown) => {
          recorder.event({ kind: 'Node', apiVersion: 'v1', name: key, uid: node.metadata.uid ?? key }, 'Normal', 'CIDRAssignmentFailed', `Node ${key} status is now: CIDRAssignmentFailed`)
          throw error
        })
      },
    })
    const off = nodes.on({
      added(node) {
        occupy(node)
        frame.queue.add(node.metadata.name)
      },
      updated(old, node) {
        if (cidrsOf(node).length === 0) return frame.queue.add(node.metadata.name)
        if (cidrsOf(old).length > 0) return
        const mine = given.get(node.metadata.uid ?? '') ?? []
        given.delete(node.metadata.uid ?? '')
        // Somebody else gave it another one meanwhile.
        release(mine.filter((cidr) => !cidrsOf(node).includes(cidr)))
        occupy(node)
      },
      deleted(node) {
        const uid = node.metadata.uid ?? ''
        release([...cidrsOf(node), ...given.get(uid) ?? []])
        given.delete(uid)
      },
    })
    await frame.run()
    off()
  },
}
