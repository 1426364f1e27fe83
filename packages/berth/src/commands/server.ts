import { defineCommand } from '@berth/kube'
import { isInside, reexecInside } from '../boot/reexec.ts'
import { requireInstance } from '../instance/instance.ts'
import { layoutOf } from '../instance/layout.ts'
import { ensureFabric, fabricNetns } from '../network/fabric.ts'
import { ensureForwarding, ensureHostTable } from '../network/host-rules.ts'
import { keepNetns } from '../network/netns.ts'
import { ensureForwardingSysctl } from '../network/sysctl.ts'
import { dataDirFlag, requireRoot } from './common.ts'

export const server = defineCommand({
  name: 'berth server',
  summary: 'Run the control plane of `berth up`: API server, controllers, scheduler',
  description: 'Runs the control plane of `berth up`: makes the fabric\'s network namespace and the machine\'s rules, enters it, and serves there. The supervisor starts this.',
  flags: { ...dataDirFlag },
  async run(flags, _positionals, io) {
    requireRoot()
    const layout = layoutOf(flags['data-dir'])
    const instance = requireInstance(layout)
    if (!isInside()) {
      ensureForwardingSysctl(layout)
      await ensureFabric(layout, instance)
      await ensureHostTable(layout, instance)
      await ensureForwarding(layout)
      await keepNetns(layout.hostNetns)
      reexecInside(fabricNetns(layout))
    }
    const { runServer } = await import('../server/run.ts')
    return runServer({ layout, instance, verbosity: io.verbosity, logger: io.logger, signal: io.signal })
  },
})
