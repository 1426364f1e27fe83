import fs from 'node:fs'
import { removeCgroups } from '../cleanup/cgroups.ts'
import { removeContainers } from '../cleanup/containers.ts'
import { endLeftoverShims } from '../cleanup/shims.ts'
import { unmountBelow } from '../cleanup/mounts.ts'
import { dockerHostOf } from '../engine/client.ts'
import { readInstance, type Instance } from '../instance/instance.ts'
import { layoutOf, type Layout } from '../instance/layout.ts'
import { checkMachine } from '../machine/check.ts'
import { removeFabric } from '../network/fabric.ts'
import { removeHostRules } from '../network/host-rules.ts'
import { restoreForwardingSysctl } from '../network/sysctl.ts'
import { Progress } from '../progress/progress.ts'
import { processStatus, reviveSupervisor, shutDown, stopProcess, wasSupervised } from '../supervisor/supervisor.ts'
import { dataDirFlag, personCommand, requireRoot } from './common.ts'

/** Stops the agents first, so that nothing starts a container again; then the containers; then all else. */
async function stopAll(layout: Layout, instance: Instance, progress: Progress): Promise<void> {
  if (!wasSupervised(layout)) return
  if (!(await processStatus(layout))) await reviveSupervisor(layout)
  await progress.step('Stop the nodes', async () => {
    for (const node of instance.nodes) await stopProcess(layout, `agent-${node}`)
  })
  await progress.step('Remove the containers', async (detail) => detail(String(await removeContainers(layout, dockerHostOf(layout, instance)))))
  await progress.step('Stop the control plane and the Engine', async () => shutDown(layout))
}

export const down = personCommand({
  name: 'berth down',
  summary: 'Stop the cluster and remove what it put on the machine; its objects stay',
  description: 'Stops the cluster and removes its containers, namespaces, tables, mounts and processes. API objects, images and logs stay for the next `berth up`; --purge removes them too.',
  flags: { ...dataDirFlag, purge: { type: 'boolean', description: 'Remove the data directory too: all objects, images and logs.' } },
  async run(flags, _positionals, io) {
    requireRoot()
    checkMachine()
    const layout = layoutOf(flags['data-dir'])
    const instance = readInstance(layout)
    if (!instance) {
      io.stdout.write(`There is no cluster in ${layout.dataDir}.\n`)
      return 0
    }
    const progress = new Progress(io.stdout)
    await stopAll(layout, instance, progress)
    await progress.step('Clean up', async () => {
      if (!instance.dockerHost) endLeftoverShims(layout.engine.containerdSocket)
      await removeHostRules(layout)
      await removeFabric(layout)
      restoreForwardingSysctl(layout)
      await unmountBelow([layout.dataDir, layout.runDir])
      await removeCgroups(layout.name)
      fs.rmSync(layout.runDir, { recursive: true, force: true })
      if (flags.purge) fs.rmSync(layout.dataDir, { recursive: true, force: true })
    })
    io.stdout.write(flags.purge ? '\nThe cluster is gone.\n' : '\nThe cluster is down. Its objects are kept; `berth up` starts it again.\n')
    return 0
  },
})
