import fs from 'node:fs'
import { defineCommand } from '@berth/kube'
import { insideVariable, isInside, reexecInside } from '../boot/reexec.ts'
import { requireInstance } from '../instance/instance.ts'
import { layoutOf } from '../instance/layout.ts'
import { ensureFabric, fabricNetns } from '../network/fabric.ts'
import { ensureForwarding, ensureHostTable } from '../network/host-rules.ts'
import { ensureForwardingSysctl } from '../network/sysctl.ts'
import { dataDirFlag, requireRoot } from './common.ts'

const hostNetnsVariable = 'BERTH_HOST_NETNS'

/** A path to the namespace that this process is in, good after it has left it: of process 1, or of its parent. */
function ownNetns(): string {
  const own = fs.readlinkSync('/proc/self/ns/net')
  return fs.readlinkSync('/proc/1/ns/net') === own ? '/proc/1/ns/net' : `/proc/${process.ppid}/ns/net`
}

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
      reexecInside(fabricNetns(layout), { [hostNetnsVariable]: ownNetns() })
    }
    const hostNetns = process.env[hostNetnsVariable] ?? `the variable ${insideVariable} is set without ${hostNetnsVariable}`
    const { runServer } = await import('../server/run.ts')
    return runServer({ layout, instance, hostNetns, verbosity: io.verbosity, logger: io.logger, signal: io.signal })
  },
})
