import { aggregateMessage, fieldErrors, type FieldError } from '@berth/api'
import { checkShape, parseDuration, parseConfig, readConfigFile } from '@berth/kube'
import { ConfigError } from '../errors.ts'
import { makeProfile } from '../framework/profile.ts'
import { plugins as registry, type PluginArgs } from '../plugins/registry.ts'
import { documentOf } from './document.ts'
import { checkExtenders, extenderOf, type ExtenderFile } from './extenders.ts'
import { featureGates, type FeatureGates } from './feature-gates.ts'
import { completeArgs } from './plugin-args.ts'
import { configurationShape, pluginArgsShapes } from './shape.ts'
import type { ClientConnectionConfig, LeaderElectionConfig, PluginsConfig, ProfileConfig, SchedulerConfig } from './types.ts'

export type { SchedulerConfig } from './types.ts'

const { invalid, required, duplicate, notSupported } = fieldErrors

/** What files name. JSON is what is spoken: a file that prefers protobuf, as kube-scheduler's do, loses nothing but bytes. */
const contentTypes: readonly [string, ...string[]] = ['application/json', 'application/vnd.kubernetes.protobuf']

interface ProfileFile { schedulerName?: string; percentageOfNodesToScore?: number; plugins?: PluginsConfig; pluginConfig?: Array<{ name: string; args?: Record<string, unknown> }> }

/** The file as written; its types have been checked. */
export interface ConfigFile {
  profiles?: ProfileFile[]
  parallelism?: number
  podInitialBackoffSeconds?: number
  podMaxBackoffSeconds?: number
  percentageOfNodesToScore?: number
  delayCacheUntilActive?: boolean
  enableProfiling?: boolean
  enableContentionProfiling?: boolean
  extenders?: ExtenderFile[]
  leaderElection?: { leaderElect?: boolean; leaseDuration?: string; renewDeadline?: string; retryPeriod?: string; resourceLock?: string; resourceName?: string; resourceNamespace?: string }
  clientConnection?: { kubeconfig?: string; acceptContentTypes?: string; contentType?: string; qps?: number; burst?: number }
}

export const defaultSchedulerName = 'default-scheduler'
const groupVersion = 'kubescheduler.config.k8s.io/v1'
/** Plugins that this version of the configuration knows no more (upstream: invalidPluginsByVersion). */
const removedPlugins = new Set(['AzureDiskLimits', 'CinderLimits', 'EBSLimits', 'GCEPDLimits'])

function checkPercentage(field: string, value: number): FieldError[] {
  return value < 0 || value > 100 ? [invalid(field, value, 'not in valid range [0-100]')] : []
}

/** A plugin that the file names: it must exist. */
function checkPlugin(name: string, field: string): FieldError[] {
  if (removedPlugins.has(name)) return [invalid(field, name, `was invalid in version "${groupVersion}" (KubeSchedulerConfiguration is version "${groupVersion}")`)]
  return registry[name] ? [] : [invalid(field, name, `there is no such plugin; there are ${Object.keys(registry).join(', ')}`)]
}

function checkPlugins(plugins: PluginsConfig, path: string): FieldError[] {
  return Object.entries(plugins).flatMap(([point, { enabled = [], disabled = [] }]) => [
    ...enabled.flatMap(({ name }, i) => checkPlugin(name, `${path}.${point}.enabled[${i}]`)),
    ...enabled.flatMap(({ weight = 0 }, i) => (weight < 0 ? [invalid(`${path}.${point}.enabled[${i}].weight`, weight, 'must not be negative')] : [])),
    // What no version of this file's time has cannot be there: leaving it out is no mistake.
    ...disabled.flatMap(({ name }, i) => (name === '*' || removedPlugins.has(name) ? [] : checkPlugin(name, `${path}.${point}.disabled[${i}]`))),
  ])
}

/** The args of each plugin that has any, complete. */
function argsOf(file: ProfileFile, path: string, gates: FeatureGates, errors: FieldError[]): Record<string, unknown> {
  const all: Record<string, unknown> = {}
  const seen = new Set<string>()
  for (const [i, { name, args: given }] of (file.pluginConfig ?? []).entries()) {
    const at = `${path}.pluginConfig[${i}]`
    if (seen.has(name)) errors.push(duplicate(at, name))
    seen.add(name)
    const unknown = checkPlugin(name, at)
    errors.push(...unknown)
    if (unknown.length > 0 || given === undefined || given === null) continue
    const shape = pluginArgsShapes[name]
    if (!shape) throw new ConfigError(`${at}.args: Forbidden: ${name} takes no args; these plugins do: ${Object.keys(pluginArgsShapes).join(', ')}`)
    const problems = checkShape(shape, given, `${at}.args`)
    if (problems.length > 0) throw new ConfigError(problems.join(', '))
    const { apiVersion, kind } = given
    if ((apiVersion !== undefined && apiVersion !== groupVersion) || (kind !== undefined && kind !== `${name}Args`)) {
      throw new ConfigError(`${at}: args for plugin ${name} were not of type ${name}Args.kubescheduler.config.k8s.io, got ${kind as string}.${(apiVersion as string | undefined)?.split('/')[0] ?? ''}`)
    }
    const { args, errors: wrong } = completeArgs(name, given, `${at}.args`, gates)
    errors.push(...wrong)
    all[name] = args
  }
  return all
}

function profileOf(file: ProfileFile, path: string, common: { gates: FeatureGates; percentage: number; alone: boolean; ignoredResources: readonly string[] }, errors: FieldError[]): ProfileConfig {
  const schedulerName = file.schedulerName ?? (common.alone ? defaultSchedulerName : '')
  if (schedulerName === '') errors.push(required(`${path}.schedulerName`))
  if (file.percentageOfNodesToScore !== undefined) errors.push(...checkPercentage(`${path}.percentageOfNodesToScore`, file.percentageOfNodesToScore))
  errors.push(...checkPlugins(file.plugins ?? {}, `${path}.plugins`))
  const args = argsOf(file, path, common.gates, errors)
  // What an extender takes care of, and asks to be left out, the fit does not count.
  if (common.ignoredResources.length > 0) args['NodeResourcesFit'] = { ...args['NodeResourcesFit'] as object, ignoredResources: common.ignoredResources }
  return { schedulerName, plugins: file.plugins ?? {}, args: args as PluginArgs, percentageOfNodesToScore: file.percentageOfNodesToScore ?? common.percentage }
}

function leaderElectionOf(file: NonNullable<ConfigFile['leaderElection']>, errors: FieldError[]): LeaderElectionConfig {
  const at = 'leaderElection'
  const durations = { leaseDuration: file.leaseDuration ?? '15s', renewDeadline: file.renewDeadline ?? '10s', retryPeriod: file.retryPeriod ?? '2s' }
  const election = {
    leaderElect: file.leaderElect ?? true,
    namespace: file.resourceNamespace || 'kube-system',
    name: file.resourceName || 'kube-scheduler',
    leaseDurationMs: parseDuration(durations.leaseDuration), renewDeadlineMs: parseDuration(durations.renewDeadline), retryPeriodMs: parseDuration(durations.retryPeriod),
  }
  if (!election.leaderElect) return election
  for (const name of ['leaseDuration', 'renewDeadline', 'retryPeriod'] as const) if (parseDuration(durations[name]) <= 0) errors.push(invalid(`${at}.${name}`, durations[name], 'must be greater than zero'))
  if (election.leaseDurationMs < election.renewDeadlineMs) errors.push(invalid(`${at}.leaseDuration`, durations.renewDeadline, 'LeaseDuration must be greater than RenewDeadline'))
  if (election.renewDeadlineMs < election.retryPeriodMs) errors.push(invalid(`${at}.renewDeadline`, durations.retryPeriod, 'RenewDeadline must be greater than RetryPeriod'))
  if (file.resourceLock && file.resourceLock !== 'leases') errors.push(invalid(`${at}.resourceLock`, file.resourceLock, 'resourceLock value must be "leases"'))
  return election
}

function clientConnectionOf(file: NonNullable<ConfigFile['clientConnection']>, errors: FieldError[]): ClientConnectionConfig {
  for (const name of ['contentType', 'acceptContentTypes'] as const) {
    const value = file[name] || contentTypes[0]
    if (value.split(',').every((type) => !contentTypes.includes(type.split(';')[0]?.trim() ?? ''))) errors.push(notSupported(`clientConnection.${name}`, value, contentTypes))
  }
  if ((file.burst ?? 0) < 0) errors.push(invalid('clientConnection.burst', file.burst, 'must be non-negative'))
  return { kubeconfig: file.kubeconfig ?? '', acceptContentTypes: file.acceptContentTypes ?? '', contentType: file.contentType || contentTypes[0], qps: file.qps || -1, burst: file.burst || 100 }
}

/** All profiles are of one queue, hence of one order. */
function checkCommonQueueSort(profiles: readonly ProfileFile[]): FieldError[] {
  const [first, ...others] = profiles.map(({ plugins }) => JSON.stringify(plugins?.queueSort ?? {}))
  return others.flatMap((sort, i) => (sort === first ? [] : [invalid(`profiles[${i + 1}].plugins.queueSort`, JSON.parse(sort), 'must be the same for all profiles')]))
}

/** Turns a file's content, already of the right shape, into what is run. Throws {@link ConfigError} with all that is wrong, each with its path. */
export function schedulerConfigOf(file: ConfigFile, gates: FeatureGates = featureGates()): SchedulerConfig {
  const errors: FieldError[] = []
  const clientConnection = clientConnectionOf(file.clientConnection ?? {}, errors)
  const leaderElection = leaderElectionOf(file.leaderElection ?? {}, errors)
  const parallelism = file.parallelism ?? 16
  if (parallelism <= 0) errors.push(invalid('parallelism', parallelism, 'should be an integer value greater than zero'))
  const extenders = file.extenders ?? []
  const ignoredResources = extenders.flatMap(({ managedResources = [] }) => managedResources.filter((r) => r.ignoredByScheduler).map(({ name = '' }) => name))
  const files = file.profiles?.length ? file.profiles : [{}]
  const common = { gates, percentage: file.percentageOfNodesToScore ?? 0, alone: files.length === 1, ignoredResources }
  const profiles = files.map((profile, i) => profileOf(profile, `profiles[${i}]`, common, errors))
  profiles.forEach(({ schedulerName }, i) => {
    const before = profiles.findIndex((other) => other.schedulerName === schedulerName)
    if (before < i) errors.push(duplicate(`profiles[${i}].schedulerName`, `profiles[${before}].schedulerName`))
  })
  errors.push(...checkCommonQueueSort(files), ...checkPercentage('percentageOfNodesToScore', common.percentage))
  const initial = file.podInitialBackoffSeconds ?? 1
  const max = file.podMaxBackoffSeconds ?? 10
  if (initial <= 0) errors.push(invalid('podInitialBackoffSeconds', initial, 'must be greater than 0'))
  if (max < initial) errors.push(invalid('podMaxBackoffSeconds', max, 'must be greater than or equal to PodInitialBackoffSeconds'))
  errors.push(...checkExtenders(extenders))
  if (errors.length > 0) throw new ConfigError(aggregateMessage(errors))
  // What the plugins serve decides whether the file makes sense: it is tried here, before anything runs.
  profiles.forEach((profile, i) => makeProfile({ ...profile, gates, path: `profiles[${i}].plugins` }))
  const config = {
    profiles, extenders: extenders.map(extenderOf), parallelism, clientConnection, leaderElection, gates,
    podInitialBackoffMs: initial * 1000,
    podMaxBackoffMs: max * 1000,
    maxUnschedulableMs: 5 * 60_000,
    delayCacheUntilActive: file.delayCacheUntilActive ?? false,
    enableProfiling: file.enableProfiling ?? true,
  }
  return { ...config, file, document: documentOf(file, config) }
}

const fileKind = { group: 'kubescheduler.config.k8s.io', version: 'v1', kind: 'KubeSchedulerConfiguration' } as const

/** Reads a KubeSchedulerConfiguration file strictly. Throws with the path of what is wrong. */
export async function readSchedulerConfig(file: string, gates?: FeatureGates): Promise<SchedulerConfig> {
  return schedulerConfigOf(await readConfigFile<ConfigFile>(file, fileKind, configurationShape), gates)
}

/** What a program says of a KubeSchedulerConfiguration, held to the same rules as a file; `overrides` are feature gates. Throws with the path of what is wrong. */
export async function checkSchedulerConfig(said: Readonly<Record<string, unknown>>, overrides: Readonly<Record<string, boolean>>): Promise<SchedulerConfig> {
  const whole = { apiVersion: groupVersion, kind: fileKind.kind, ...said }
  return schedulerConfigOf(await parseConfig<ConfigFile>(JSON.stringify(whole), 'the scheduler\'s configuration', fileKind, configurationShape), featureGates(overrides))
}
