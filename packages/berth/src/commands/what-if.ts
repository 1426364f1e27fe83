import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import type { CommandIo } from '@berth/kube'
import { readManifest, type WhatIfRequest } from '@berth/scheduler/explain'
import { askAndPrint, clusterChoice, explainFlags, namespaceOf, type ExplainFlags } from '../explain/flags.ts'
import { clusterOf } from '../explain/connect.ts'
import { prioritiesFor } from '../explain/priorities.ts'
import { personCommand } from './common.ts'

interface WhatIfFlags extends ExplainFlags {
  readonly filename: readonly string[]
  readonly replicas: number | undefined
  readonly 'add-nodes': number | undefined
  readonly like: string | undefined
  readonly drain: readonly string[]
  readonly cordon: readonly string[]
  readonly uncordon: readonly string[]
  readonly 'remove-pod': readonly string[]
}

async function arrivals(flags: WhatIfFlags, namespace: string, io: CommandIo): Promise<Partial<WhatIfRequest>> {
  if (flags.filename.length === 0) return {}
  const { parseAllDocuments } = await import('yaml')
  const documents: unknown[] = []
  for (const file of flags.filename) {
    const source = file === '-' ? await text(io.stdin) : await readFile(file, 'utf8')
    for (const document of parseAllDocuments(source)) {
      const [error] = document.errors
      if (error) throw new RangeError(`${file}: ${error.message}`, { cause: error })
      documents.push(document.toJS())
    }
  }
  const { client, close } = await clusterOf(clusterChoice(flags))
  try {
    return readManifest(documents, { namespace, priorities: await prioritiesFor(client, documents), ...(flags.replicas === undefined ? {} : { replicas: flags.replicas }) })
  } finally {
    await close()
  }
}

export const whatIf = personCommand({
  name: 'berth what-if',
  summary: 'Tell where pods would go, without touching the cluster',
  description: 'Tells where pods would go if they came, or if nodes were added, cordoned or drained: what stays pending and why, who would be preempted, and how full the cluster is after. Nothing in the cluster is touched.',
  positionals: '[flags]',
  flags: {
    filename: { type: 'string[]', short: 'f', description: 'A manifest of Pods, Deployments, StatefulSets, Jobs, … whose pods come; - for standard input.' },
    replicas: { type: 'number', description: 'How many pods of each, whatever the manifest says.' },
    'add-nodes': { type: 'number', description: 'This many nodes are added; goes with --like.' },
    like: { type: 'string', description: 'The node that added nodes are like.' },
    drain: { type: 'string[]', description: 'This node is cordoned, and its pods have to go elsewhere.' },
    cordon: { type: 'string[]', description: 'This node takes no new pods.' },
    uncordon: { type: 'string[]', description: 'This node takes pods again.' },
    'remove-pod': { type: 'string[]', description: 'This pod is gone; name or namespace/name.' },
    ...explainFlags,
  },
  async run(flags, _positionals, io) {
    if ((flags['add-nodes'] === undefined) !== (flags.like === undefined)) throw new RangeError('--add-nodes and --like go together: --add-nodes 3 --like n1')
    if (flags.replicas !== undefined && (!Number.isInteger(flags.replicas) || flags.replicas < 1)) throw new RangeError('--replicas: a number of at least 1')
    const isQuestion = flags.filename.length + flags.drain.length + flags.cordon.length + flags.uncordon.length + flags['remove-pod'].length > 0 || flags['add-nodes'] !== undefined
    if (!isQuestion) throw new RangeError('what if what? Give at least one of -f, --add-nodes, --drain, --cordon, --uncordon, --remove-pod')
    const namespace = await namespaceOf(flags)
    const request: WhatIfRequest = {
      ...await arrivals(flags, namespace, io),
      ...(flags['add-nodes'] === undefined || flags.like === undefined ? {} : { addNodes: [{ count: flags['add-nodes'], like: flags.like }] }),
      ...(flags.drain.length > 0 ? { drain: flags.drain } : {}),
      ...(flags.cordon.length > 0 ? { cordon: flags.cordon } : {}),
      ...(flags.uncordon.length > 0 ? { uncordon: flags.uncordon } : {}),
      ...(flags['remove-pod'].length > 0 ? { removePods: flags['remove-pod'].map((pod) => (pod.includes('/') ? pod : `${namespace}/${pod}`)) } : {}),
    }
    return askAndPrint({ ask: 'what-if', request }, flags, io)
  },
})
