import fs from 'node:fs'
import { storageFlags } from '@berth/apiserver/storage-flags'
import { engineClient, waitForEngine } from '../engine/client.ts'
import { writeEngineConfig } from '../engine/config.ts'
import { InstanceError, TimeoutError } from '../errors.ts'
import { newInstance, nodeNames, readInstance, serverAddress, writeInstance, type Instance } from '../instance/instance.ts'
import { layoutOf, type Layout } from '../instance/layout.ts'
import { decideStorage } from '../instance/storage.ts'
import { checkMachine } from '../machine/check.ts'
import { Progress } from '../progress/progress.ts'
import { processesOf } from '../supervisor/processes.ts'
import { ensureSupervisor } from '../supervisor/supervisor.ts'
import { waitForDns, waitForNodes, waitForServer } from '../wait/wait.ts'
import { dataDirFlag, isJson, outputFlag, personCommand, requireRoot } from './common.ts'

/** The instance to run: what is on disk, with more nodes where they were asked for. */
function decideInstance(layout: Layout, wish: { nodes: number | undefined; dockerHost: string | undefined }): Instance {
  if (wish.nodes !== undefined && (!Number.isInteger(wish.nodes) || wish.nodes < 1 || wish.nodes > 200)) throw new RangeError(`--nodes: ${wish.nodes} is not a number of nodes; allowed: 1 to 200`)
  if (wish.dockerHost !== undefined && !wish.dockerHost.startsWith('unix://')) throw new RangeError(`--docker-host: ${JSON.stringify(wish.dockerHost)} is not a unix socket (unix:///path); an Engine elsewhere has another kernel`)
  const before = readInstance(layout)
  if (!before) return newInstance(layout, { nodes: wish.nodes ?? 1, dockerHost: wish.dockerHost })
  if (wish.dockerHost !== undefined && wish.dockerHost !== before.dockerHost) throw new InstanceError(`this cluster was made with ${before.dockerHost ?? 'a private Engine'}; \`berth down --purge\` it first to change its Engine`)
  if (wish.nodes === undefined) return before
  if (wish.nodes < before.nodes.length) throw new InstanceError(`this cluster has ${before.nodes.length} nodes; taking nodes away is not served: drain and delete the Node objects, or \`berth down --purge\``)
  return { ...before, nodes: nodeNames(wish.nodes) }
}

export const up = personCommand({
  name: 'berth up',
  summary: 'Start the cluster, or what of it does not run',
  description: 'Starts the whole cluster: supervisor, a private container Engine, the control plane and its nodes. What runs already is found and left alone.\nReturns when every node is Ready and DNS answers; everything goes on running in the background.',
  flags: {
    ...dataDirFlag, ...outputFlag,
    nodes: { type: 'number', description: 'How many nodes; 1 for a new cluster, else as many as it has.' },
    'docker-host': { type: 'string', description: 'Use this Engine (unix:///path) instead of a private one. Its other containers are left alone; its restarts and settings are yours.' },
    timeout: { type: 'duration', description: 'How long to wait for all to be ready.', default: '3m' },
    ...storageFlags,
  },
  async run(flags, _positionals, io) {
    const json = isJson(flags.output)
    requireRoot()
    checkMachine()
    const layout = layoutOf(flags['data-dir'])
    const { etcd: before, ...decided } = decideInstance(layout, { nodes: flags.nodes, dockerHost: flags['docker-host'] })
    const instance: Instance = { ...decided, ...decideStorage(before, flags) }
    fs.mkdirSync(layout.dataDir, { recursive: true, mode: 0o700 })
    writeInstance(layout, instance)
    if (!instance.dockerHost) writeEngineConfig(layout.engine)
    const started = performance.now()
    const deadline = Date.now() + flags.timeout
    const progress = new Progress(json ? { write: () => undefined } : io.stdout)
    await progress.step('Supervisor', async (detail) => detail(await ensureSupervisor(layout, processesOf(layout, instance, { verbosity: io.verbosity }))))
    try {
      await progress.step('Engine', async () => waitForEngine(engineClient(layout, instance), deadline - Date.now(), io.signal))
      const client = await progress.step('API server', async (detail) => waitForServer(layout, deadline, io.signal, detail))
      await progress.step(instance.nodes.length === 1 ? 'Node' : 'Nodes', async (detail) => waitForNodes(client, layout, instance, deadline, io.signal, detail))
      await progress.step('DNS', async () => waitForDns(client, instance, deadline, io.signal))
    } catch (error) {
      if (error instanceof TimeoutError) throw new TimeoutError(`${error.message}; see \`berth status\`, \`berth logs server\`, \`berth logs agent\` (logs are in ${layout.logsDir})`, { cause: error })
      throw error
    }
    const seconds = Number(((performance.now() - started) / 1000).toFixed(1))
    const server = `https://${serverAddress(instance)}:${instance.securePort}`
    io.stdout.write(json
      ? `${JSON.stringify({ server, kubeconfig: layout.kubeconfig, nodes: instance.nodes, dataDir: layout.dataDir, seconds }, null, 2)}\n`
      : `\nThe cluster runs (${seconds} s): ${server}\n\n  export KUBECONFIG=${layout.kubeconfig}\n`)
    return 0
  },
})
