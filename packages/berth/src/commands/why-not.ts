import { askAndPrint, explainFlags, podKeyOf } from '../explain/flags.ts'
import { personCommand } from './common.ts'

export const whyNot = personCommand({
  name: 'berth why-not',
  summary: 'Tell why a pod is not on a certain node',
  description: 'Tells why a pod is not on a certain node: the word of every filter there, what the node lacks and whose leaving would do; or, where the pod fits, by how much another node is better.',
  positionals: '[flags] POD --node NODE',
  flags: { node: { type: 'string', description: 'The node.' }, ...explainFlags },
  async run(flags, [pod, ...rest], io) {
    if (pod === undefined || rest.length > 0 || flags.node === undefined) throw new RangeError('name one pod and one node: berth why-not POD --node NODE')
    return askAndPrint({ ask: 'why-not', pod: await podKeyOf(pod, flags), node: flags.node }, flags, io)
  },
})
