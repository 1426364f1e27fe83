import { formatDuration } from '@berth/kube'
import { defaultPlugins } from '../framework/profile.ts'
import type { ConfigFile } from './config.ts'
import { completeArgs, pluginsWithArgs } from './plugin-args.ts'
import { pluginsNeeded } from './plugins.ts'
import type { SchedulerConfig } from './types.ts'

/** The configuration as a file, with every default filled in: what it would take to say all that is run. */
export function documentOf(file: ConfigFile, config: Omit<SchedulerConfig, 'document' | 'file'>): Record<string, unknown> {
  const { leaderElection: election } = config
  const defaults = defaultPlugins(config.gates)
  return {
    apiVersion: 'kubescheduler.config.k8s.io/v1',
    kind: 'KubeSchedulerConfiguration',
    clientConnection: config.clientConnection,
    delayCacheUntilActive: config.delayCacheUntilActive,
    enableContentionProfiling: file.enableContentionProfiling ?? config.enableProfiling,
    enableProfiling: config.enableProfiling,
    ...(file.extenders?.length ? { extenders: file.extenders } : {}),
    leaderElection: {
      leaderElect: election.leaderElect,
      leaseDuration: formatDuration(election.leaseDurationMs), renewDeadline: formatDuration(election.renewDeadlineMs), retryPeriod: formatDuration(election.retryPeriodMs),
      resourceLock: 'leases', resourceName: election.name, resourceNamespace: election.namespace,
    },
    parallelism: config.parallelism,
    percentageOfNodesToScore: file.percentageOfNodesToScore ?? 0,
    podInitialBackoffSeconds: config.podInitialBackoffMs / 1000,
    podMaxBackoffSeconds: config.podMaxBackoffMs / 1000,
    profiles: config.profiles.map((profile) => {
      const needed = [...pluginsNeeded(profile.plugins, defaults)]
      const given = Object.keys(profile.args)
      return {
        pluginConfig: [...new Set([...given, ...needed.filter((name) => pluginsWithArgs.includes(name))])].sort().map((name) => ({
          name,
          args: { apiVersion: 'kubescheduler.config.k8s.io/v1', kind: `${name}Args`, ...completeArgs(name, profile.args[name as keyof typeof profile.args] as Record<string, unknown> ?? {}, '', config.gates).args },
        })),
        plugins: Object.keys(profile.plugins).length > 0 ? profile.plugins : { multiPoint: { enabled: defaults } },
        ...(profile.percentageOfNodesToScore ? { percentageOfNodesToScore: profile.percentageOfNodesToScore } : {}),
        schedulerName: profile.schedulerName,
      }
    }),
  }
}
