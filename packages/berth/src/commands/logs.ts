import { spawn } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { InstanceError } from '../errors.ts'
import { requireInstance } from '../instance/instance.ts'
import { layoutOf } from '../instance/layout.ts'
import { dataDirFlag, personCommand } from './common.ts'

export const logs = personCommand({
  name: 'berth logs',
  summary: 'Print the log of one of Berth\'s own processes',
  description: 'Prints the log of one of Berth\'s own processes: containerd, dockerd, server, agent-n1, …, supervisor. (For pods: kubectl logs.)',
  positionals: '[flags] PROCESS',
  flags: {
    ...dataDirFlag,
    follow: { type: 'boolean', short: 'f', description: 'Go on printing what is written.' },
    tail: { type: 'number', description: 'How many of the last lines to begin with.', default: 100 },
  },
  async run(flags, positionals, io) {
    const layout = layoutOf(flags['data-dir'])
    requireInstance(layout)
    const there = fs.existsSync(layout.logsDir) ? fs.readdirSync(layout.logsDir).filter((f) => f.endsWith('.log')).map((f) => f.slice(0, -4)) : []
    const [wanted] = positionals
    const name = wanted === 'agent' ? there.find((n) => n.startsWith('agent-')) : wanted
    if (name === undefined || !there.includes(name)) throw new InstanceError(`${wanted === undefined ? 'which process' : `there is no log of ${JSON.stringify(wanted)}`}? There are: ${there.join(', ') || 'none yet'}`)
    const child = spawn('tail', ['-n', String(flags.tail), ...(flags.follow ? ['-F'] : []), path.join(layout.logsDir, `${name}.log`)], { stdio: ['ignore', 'inherit', 'inherit'] })
    io.signal.addEventListener('abort', () => child.kill())
    return new Promise((resolve, reject) => {
      child.on('error', reject)
      child.on('exit', (code) => resolve(io.signal.aborted ? 0 : code ?? 1))
    })
  },
})
