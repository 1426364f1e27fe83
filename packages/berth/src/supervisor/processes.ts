import fs from 'node:fs'
import path from 'node:path'
import type { ProcessDefinition } from '@berth/native'
import { engineCommands } from '../engine/config.ts'
import { MachineError } from '../errors.ts'
import type { Instance } from '../instance/instance.ts'
import type { Layout } from '../instance/layout.ts'

/** The argument vector that runs this same Berth, bundled or from its sources. */
function self(): string[] {
  // A small young generation: less memory for a little more collecting, which these processes hardly notice.
  return [process.execPath, '--disable-warning=ExperimentalWarning', '--max-semi-space-size=2', path.resolve(process.argv[1] ?? '')]
}

/** A program's absolute path. */
function findProgram(program: string): string {
  const found = (process.env.PATH ?? '').split(':').map((dir) => path.join(dir, program)).find((file) => fs.existsSync(file))
  if (!found) throw new MachineError(`${program} is not on PATH`)
  return found
}

/** Everything that one instance runs, in the order in which it starts; it stops in the reverse one. */
export function processesOf(layout: Layout, instance: Instance, options: { verbosity: number; find?: (program: string) => string }): ProcessDefinition[] {
  const absolute = ([program = '', ...args]: readonly string[]): string[] => [(options.find ?? findProgram)(program), ...args]
  const env = { PATH: process.env.PATH ?? '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root', LANG: 'C.UTF-8' }
  const engine = engineCommands(layout.engine)
  const log = (name: string): string => path.join(layout.logsDir, `${name}.log`)
  const common = ['--data-dir', layout.dataDir, ...(options.verbosity > 0 ? ['-v', String(options.verbosity)] : [])]
  // glibc keeps a heap for each thread, and gives none of them back.
  const own = { env: { ...env, MALLOC_ARENA_MAX: '2' }, graceSeconds: 15 }
  return [
    ...(instance.dockerHost ? [] : [
      { name: 'containerd', argv: absolute(engine.containerd), env, log: log('containerd') },
      { name: 'dockerd', argv: absolute(engine.dockerd), env, log: log('dockerd'), graceSeconds: 20 },
    ]),
    { name: 'server', argv: [...self(), 'server', ...common], ...own, log: log('server') },
    ...instance.nodes.map((node) => ({ name: `agent-${node}`, argv: [...self(), 'agent', '--node', node, ...common], ...own, log: log(`agent-${node}`) })),
  ]
}
