import { kubernetesVersion } from '@berth/kube'
import { berthVersion } from '../version.ts'
import { isJson, outputFlag, personCommand } from './common.ts'

export const version = personCommand({
  name: 'berth version',
  summary: 'Print the versions of Berth, of the Kubernetes API it speaks, and of Node',
  flags: { ...outputFlag },
  async run(flags, _positionals, io) {
    const value = { berth: berthVersion, kubernetes: kubernetesVersion, node: process.version, platform: `${process.platform}/${process.arch}` }
    io.stdout.write(isJson(flags.output) ? `${JSON.stringify(value, null, 2)}\n` : `Berth ${value.berth}, Kubernetes ${value.kubernetes}, Node ${value.node} on ${value.platform}\n`)
    return 0
  },
})
