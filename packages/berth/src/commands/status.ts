import { readInstance, serverAddress } from '../instance/instance.ts'
import { layoutOf } from '../instance/layout.ts'
import { processStatus, reviveSupervisor, wasSupervised } from '../supervisor/supervisor.ts'
import { dataDirFlag, isJson, outputFlag, personCommand } from './common.ts'

export const status = personCommand({
  name: 'berth status',
  summary: 'Show whether the cluster runs, process by process',
  description: 'Shows whether the cluster runs, process by process. A supervisor that has died is replaced: the new one adopts what still runs.\nExit status: 0 all run, 1 some do not, 3 the cluster is down, 4 there is none.',
  flags: { ...dataDirFlag, ...outputFlag },
  async run(flags, _positionals, io) {
    const json = isJson(flags.output)
    const layout = layoutOf(flags['data-dir'])
    const instance = readInstance(layout)
    const print = (value: object, text: string): void => { io.stdout.write(json ? `${JSON.stringify(value, null, 2)}\n` : text) }
    if (!instance) {
      print({ state: 'absent', dataDir: layout.dataDir }, `There is no cluster in ${layout.dataDir}; \`berth up\` makes one.\n`)
      return 4
    }
    let processes = await processStatus(layout)
    if (!processes && wasSupervised(layout)) {
      io.stderr.write('The supervisor was gone; starting another one, which adopts what still runs.\n')
      await reviveSupervisor(layout)
      processes = await processStatus(layout)
    }
    if (!processes) {
      print({ state: 'down', dataDir: layout.dataDir }, `The cluster in ${layout.dataDir} is down; \`berth up\` starts it.\n`)
      return 3
    }
    const running = processes.every((p) => p.state === 'running')
    const width = Math.max(...processes.map((p) => p.name.length), 7)
    const lines = processes.map((p) => `${p.name.padEnd(width)}  ${p.state.padEnd(8)}  ${String(p.pid || '-').padStart(7)}  ${String(p.restarts).padStart(8)}`)
    print(
      { state: running ? 'running' : 'degraded', dataDir: layout.dataDir, server: `https://${serverAddress(instance)}:${instance.securePort}`, kubeconfig: layout.kubeconfig, nodes: instance.nodes, processes },
      `${'PROCESS'.padEnd(width)}  ${'STATE'.padEnd(8)}  ${'PID'.padStart(7)}  ${'RESTARTS'.padStart(8)}\n${lines.join('\n')}\n`,
    )
    return running ? 0 : 1
  },
})
