import { checkShape, parseDuration, readConfigFile } from '@berth/kube'
import { plugins as registry, type PluginArgs } from '../plugins/registry.ts'
import { ConfigError } from '../errors.ts'
import { featureGates, type FeatureGates } from './feature-gates.ts'
import { configurationShape, pluginArgsShapes } from './shape.ts'

/** A profile as configured. */
export interface ProfileConfig {
  readonly schedulerName: string
  readonly disabled: ReadonlySet<string>
  readonly weights: Readonly<Record<string, number>>
  readonly args: PluginArgs
}

/** KubeSchedulerConfiguration (kubescheduler.config.k8s.io/v1) as it is run. */
export interface SchedulerConfig {
  readonly profiles: readonly ProfileConfig[]
  readonly podInitialBackoffMs: number
  readonly podMaxBackoffMs: number
  readonly leaderElection: { readonly leaderElect: boolean; readonly namespace: string; readonly name: string; readonly leaseDurationMs: number; readonly renewDeadlineMs: number; readonly retryPeriodMs: number }
  readonly kubeconfig?: string
  readonly gates: FeatureGates
}

interface PluginRef { name: string; weight?: number }
interface PluginSet { enabled?: PluginRef[]; disabled?: PluginRef[] }
interface ProfileFile { schedulerName?: string; plugins?: Record<string, PluginSet>; pluginConfig?: Array<{ name: string; args?: Record<string, unknown> }> }
interface ConfigFile {
  profiles?: ProfileFile[]
  podInitialBackoffSeconds?: number
  podMaxBackoffSeconds?: number
  percentageOfNodesToScore?: number
  extenders?: unknown[]
  leaderElection?: { leaderElect?: boolean; leaseDuration?: string; renewDeadline?: string; retryPeriod?: string; resourceName?: string; resourceNamespace?: string }
  clientConnection?: { kubeconfig?: string }
}

export const defaultSchedulerName = 'default-scheduler'

function profileOf(file: ProfileFile, path: string): ProfileConfig {
  const disabled = new Set<string>()
  const weights: Record<string, number> = {}
  for (const [point, set] of Object.entries(file.plugins ?? {})) {
    const at = `${path}.plugins.${point}`
    if (point !== 'multiPoint' && ((set.enabled?.length ?? 0) > 0 || (set.disabled?.length ?? 0) > 0)) throw new ConfigError(`${at}: plugins are chosen by multiPoint alone; single extension points are not served yet`)
    for (const [i, { name }] of (set.disabled ?? []).entries()) {
      if (name === '*') for (const each of Object.keys(registry)) disabled.add(each)
      else if (!registry[name]) throw new ConfigError(`${at}.disabled[${i}].name: Invalid value: ${JSON.stringify(name)}: there is no such plugin; there are ${Object.keys(registry).join(', ')}`)
      else disabled.add(name)
    }
    for (const [i, { name, weight }] of (set.enabled ?? []).entries()) {
      if (!registry[name]) throw new ConfigError(`${at}.enabled[${i}].name: Invalid value: ${JSON.stringify(name)}: there is no such plugin; there are ${Object.keys(registry).join(', ')}`)
      disabled.delete(name)
      if (weight !== undefined) weights[name] = weight
    }
  }
  for (const needed of ['PrioritySort', 'DefaultBinder']) if (disabled.has(needed)) throw new ConfigError(`${path}.plugins.multiPoint.disabled: ${needed} cannot be left out: nothing else does its work`)
  const args: Record<string, unknown> = {}
  for (const [i, { name, args: given }] of (file.pluginConfig ?? []).entries()) {
    const shape = pluginArgsShapes[name]
    if (!shape) throw new ConfigError(`${path}.pluginConfig[${i}].name: Invalid value: ${JSON.stringify(name)}: this plugin takes no args here; ${Object.keys(pluginArgsShapes).join(', ')} do`)
    const problems = checkShape(shape, given ?? {}, `${path}.pluginConfig[${i}].args`)
    if (problems.length > 0) throw new ConfigError(problems.join(', '))
    if (name === 'DefaultPreemption' && given?.minCandidateNodesPercentage === 0 && given.minCandidateNodesAbsolute === 0) {
      throw new ConfigError(`${path}.pluginConfig[${i}].args: Invalid value: 0: minCandidateNodesPercentage and minCandidateNodesAbsolute cannot both be zero at the same time`)
    }
    args[name] = given ?? {}
  }
  return { schedulerName: file.schedulerName ?? defaultSchedulerName, disabled, weights, args: args as PluginArgs }
}

/** Turns a file's content, already of the right shape, into what is run; refuses what is not served, with its path. */
export function schedulerConfigOf(file: ConfigFile, gates: FeatureGates = featureGates()): SchedulerConfig {
  if ((file.extenders ?? []).length > 0) throw new ConfigError('extenders: this scheduler calls no extenders yet')
  const percentage = file.percentageOfNodesToScore ?? 0
  if (percentage !== 0 && percentage !== 100) throw new ConfigError(`percentageOfNodesToScore: Invalid value: ${percentage}: all nodes are scored; 0 and 100 say that`)
  const profiles = (file.profiles ?? [{}]).map((profile, i) => profileOf(profile, `profiles[${i}]`))
  const names = profiles.map((p) => p.schedulerName)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) throw new ConfigError(`profiles: Duplicate value: ${JSON.stringify(twice)}: two profiles have this schedulerName`)
  const initial = file.podInitialBackoffSeconds ?? 1
  const max = file.podMaxBackoffSeconds ?? 10
  if (initial <= 0) throw new ConfigError(`podInitialBackoffSeconds: Invalid value: ${initial}: must be greater than 0`)
  if (max < initial) throw new ConfigError(`podMaxBackoffSeconds: Invalid value: ${max}: must be greater than or equal to PodInitialBackoffSeconds`)
  const election = file.leaderElection ?? {}
  return {
    profiles,
    gates,
    podInitialBackoffMs: initial * 1000,
    podMaxBackoffMs: max * 1000,
    leaderElection: {
      leaderElect: election.leaderElect ?? true,
      namespace: election.resourceNamespace ?? 'kube-system',
      name: election.resourceName ?? 'kube-scheduler',
      leaseDurationMs: parseDuration(election.leaseDuration ?? '15s'),
      renewDeadlineMs: parseDuration(election.renewDeadline ?? '10s'),
      retryPeriodMs: parseDuration(election.retryPeriod ?? '2s'),
    },
    ...(file.clientConnection?.kubeconfig ? { kubeconfig: file.clientConnection.kubeconfig } : {}),
  }
}

/** Reads a KubeSchedulerConfiguration file strictly. Throws with the path of what is wrong. */
export async function readSchedulerConfig(file: string, gates?: FeatureGates): Promise<SchedulerConfig> {
  return schedulerConfigOf(await readConfigFile<ConfigFile>(file, { group: 'kubescheduler.config.k8s.io', version: 'v1', kind: 'KubeSchedulerConfiguration' }, configurationShape), gates)
}
