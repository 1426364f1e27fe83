import type { CommandIo } from '@berth/kube'
import { answerOf, offlineExplainer, readSchedulerConfig, schedulerConfigOf } from '@berth/scheduler/explain'
import { clusterOf, type ClusterChoice, type Oracle } from './connect.ts'

/** Reads the cluster and answers here; the scheduler that runs there is not asked, and may be any. */
export async function offlineOracle(cluster: ClusterChoice, configFile: string | undefined, io: CommandIo): Promise<Oracle> {
  const config = configFile === undefined ? schedulerConfigOf({}) : await readSchedulerConfig(configFile)
  const { client, close } = await clusterOf(cluster)
  try {
    if (io.stderr.isTTY) io.stderr.write('Reading the cluster …\n')
    const explainer = await offlineExplainer(client, config, io.logger)
    return { ask: async (question) => answerOf(explainer, question), close: async () => {} }
  } finally {
    await close()
  }
}
