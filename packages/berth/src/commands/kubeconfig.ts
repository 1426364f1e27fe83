import fs from 'node:fs'
import { requireInstance } from '../instance/instance.ts'
import { layoutOf } from '../instance/layout.ts'
import { dataDirFlag, personCommand } from './common.ts'

export const kubeconfig = personCommand({
  name: 'berth kubeconfig',
  summary: 'Print the administrator\'s kubeconfig, or where it is',
  flags: { ...dataDirFlag, path: { type: 'boolean', description: 'Print the path of the file instead of its content.' } },
  async run(flags, _positionals, io) {
    const layout = layoutOf(flags['data-dir'])
    requireInstance(layout)
    io.stdout.write(flags.path ? `${layout.kubeconfig}\n` : fs.readFileSync(layout.kubeconfig, 'utf8'))
    return 0
  },
})
