import { explainFlags, askAndPrint, podKeyOf } from '../explain/flags.ts'
import { personCommand } from './common.ts'

export const why = personCommand({
  name: 'berth why',
  summary: 'Tell why a pod is on its node, or on none',
  description: 'Tells why a pod is where it is: what the best nodes scored when it was decided, plugin by plugin. For a pod that waits: which nodes are kept from it by what, which nodes are the nearest, and what would help.',
  positionals: '[flags] POD',
  flags: explainFlags,
  async run(flags, [pod, ...rest], io) {
    if (pod === undefined || rest.length > 0) throw new RangeError('name one pod: berth why POD')
    return askAndPrint({ ask: 'why', pod: await podKeyOf(pod, flags) }, flags, io)
  },
})
