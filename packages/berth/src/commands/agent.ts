import { defineCommand } from '@berth/kube'
import { endContainersOf, ensureAnchor } from '../anchor/anchor.ts'
import { isInside, reexecInside } from '../boot/reexec.ts'
import { engineClient, waitForEngine } from '../engine/client.ts'
import { InstanceError } from '../errors.ts'
import { nodeAddress, requireInstance } from '../instance/instance.ts'
import { layoutOf } from '../instance/layout.ts'
import { ensureFabric, ensureNodeLink } from '../network/fabric.ts'
import { dataDirFlag, requireRoot } from './common.ts'

const anchorVariable = 'BERTH_ANCHOR'

export const agent = defineCommand({
  name: 'berth agent',
  summary: 'Run a node of `berth up`: kubelet, CRI shim, overlay, service proxy, DNS',
  description: 'Runs a node of `berth up`: makes the node\'s anchor container and its link to the fabric, enters its network namespace, and runs the node there. The supervisor starts this.',
  flags: { ...dataDirFlag, node: { type: 'string', description: 'Which node of the cluster this is.' } },
  async run(flags, _positionals, io) {
    requireRoot()
    const layout = layoutOf(flags['data-dir'])
    const instance = requireInstance(layout)
    if (flags.node === undefined) throw new InstanceError('--node is needed: which node this is')
    nodeAddress(instance, flags.node)
    if (!isInside()) {
      const docker = engineClient(layout, instance)
      await waitForEngine(docker, 60_000, io.signal)
      await ensureFabric(layout, instance)
      const anchor = await ensureAnchor(docker, layout, flags.node)
      if (anchor.isNew) {
        const ended = await endContainersOf(docker, layout, flags.node)
        if (ended > 0) io.logger.info('The node has rebooted', { node: flags.node, endedContainers: ended })
      }
      await ensureNodeLink(layout, instance, flags.node, anchor.pid)
      reexecInside(`/proc/${anchor.pid}/ns/net`, { [anchorVariable]: `${anchor.pid}:${anchor.id}` })
    }
    const [pid, id] = (process.env[anchorVariable] ?? '').split(':')
    if (!pid || !id) throw new InstanceError(`${anchorVariable} is not set: start the agent from the machine's own namespace`)
    const { runAgent } = await import('../agent/run.ts')
    return runAgent({ layout, instance, node: flags.node, anchor: { pid: Number(pid), id }, verbosity: io.verbosity, logger: io.logger, signal: io.signal })
  },
})
