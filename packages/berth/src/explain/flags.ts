import type { CommandIo } from '@berth/kube'
import { answerText, type Question } from '@berth/scheduler/explain'
import { dataDirFlag, isJson, outputFlag } from '../commands/common.ts'
import { clusterOf, schedulerOracle, type ClusterChoice, type Oracle } from './connect.ts'
import { offlineOracle } from './offline.ts'

/** The flags that the three questions share. */
export const explainFlags = {
  namespace: { type: 'string', short: 'n', description: 'The pod\'s namespace; the kubeconfig\'s where absent.' },
  kubeconfig: { type: 'string', description: 'The path to the kubeconfig; else $KUBECONFIG, the cluster of `berth up`, ~/.kube/config.' },
  context: { type: 'string', description: 'The kubeconfig\'s context to use.' },
  lease: { type: 'string', description: 'The Lease of the scheduler to ask, as namespace/name.', default: 'kube-system/kube-scheduler' },
  offline: { type: 'boolean', description: 'Compute the answer here, from what the kubeconfig\'s user may list: for clusters whose scheduler is not Berth\'s.' },
  config: { type: 'string', description: 'With --offline: the KubeSchedulerConfiguration to decide by; kube-scheduler\'s defaults where absent.' },
  ...outputFlag,
  ...dataDirFlag,
} as const

export interface ExplainFlags {
  readonly namespace: string | undefined
  readonly kubeconfig: string | undefined
  readonly context: string | undefined
  readonly lease: string
  readonly offline: boolean
  readonly config: string | undefined
  readonly output: string
  readonly 'data-dir': string
}

export function clusterChoice(flags: ExplainFlags): ClusterChoice {
  return { kubeconfig: flags.kubeconfig, context: flags.context, dataDir: flags['data-dir'] }
}

/** `name` or `namespace/name` as a key. */
export async function podKeyOf(pod: string, flags: ExplainFlags): Promise<string> {
  return pod.includes('/') ? pod : `${await namespaceOf(flags)}/${pod}`
}

/** The namespace that names without one are in. */
export async function namespaceOf(flags: ExplainFlags): Promise<string> {
  if (flags.namespace !== undefined) return flags.namespace
  const { choice, close } = await clusterOf(clusterChoice(flags))
  await close()
  return choice.namespace
}

/** Asks the cluster's scheduler, or computes the answer here, and prints it. */
export async function askAndPrint(question: Question, flags: ExplainFlags, io: CommandIo): Promise<number> {
  const json = isJson(flags.output)
  if (flags.config !== undefined && !flags.offline) throw new RangeError('--config goes with --offline: a running scheduler has its own')
  if (!/^[^/]+\/[^/]+$/.test(flags.lease)) throw new RangeError(`--lease: ${JSON.stringify(flags.lease)} is not namespace/name`)
  const oracle: Oracle = flags.offline ? await offlineOracle(clusterChoice(flags), flags.config, io) : await schedulerOracle(clusterChoice(flags), flags.lease, io.logger)
  try {
    const answer = await oracle.ask(question)
    io.stdout.write(json ? `${JSON.stringify(answer, null, 2)}\n` : answerText(answer))
  } finally {
    await oracle.close()
  }
  return 0
}
