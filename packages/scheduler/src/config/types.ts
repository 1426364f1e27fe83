import type { PluginArgs } from '../plugins/registry.ts'
import type { FeatureGates } from './feature-gates.ts'

/** The extension points at which a configuration can enable and disable plugins. */
export const extensionPoints = ['preEnqueue', 'queueSort', 'preFilter', 'filter', 'postFilter', 'preScore', 'score', 'reserve', 'permit', 'preBind', 'bind', 'postBind', 'placementGenerate', 'placementScore'] as const

export type ExtensionPoint = (typeof extensionPoints)[number]

export interface PluginRef {
  readonly name: string
  readonly weight?: number
}

/** What a file says of one extension point. */
export interface PluginSet {
  readonly enabled?: readonly PluginRef[]
  readonly disabled?: readonly PluginRef[]
}

/** KubeSchedulerProfile.plugins. */
export type PluginsConfig = Readonly<Partial<Record<ExtensionPoint | 'multiPoint', PluginSet>>>

/** A profile as configured. */
export interface ProfileConfig {
  readonly schedulerName: string
  /** As the file says it; the defaults are merged when the profile is made. */
  readonly plugins: PluginsConfig
  readonly args: PluginArgs
  /** 1 to 99: nodes are sampled as upstream does; 0 and 100: all are looked at. */
  readonly percentageOfNodesToScore: number
}

/** An HTTP extender (kubescheduler.config.k8s.io/v1 Extender), with defaults. */
export interface ExtenderConfig {
  readonly urlPrefix: string
  /** '' for a verb that the extender does not serve. */
  readonly filterVerb: string
  readonly preemptVerb: string
  readonly prioritizeVerb: string
  readonly bindVerb: string
  readonly weight: number
  readonly enableHTTPS: boolean
  readonly tls?: ExtenderTls
  readonly httpTimeoutMs: number
  readonly nodeCacheCapable: boolean
  /** Empty: it is asked about every pod. */
  readonly managedResources: ReadonlyArray<{ readonly name: string; readonly ignoredByScheduler: boolean }>
  readonly ignorable: boolean
}

/** Files are read when the client is made; data is PEM. */
export interface ExtenderTls {
  readonly insecure: boolean
  readonly serverName?: string
  readonly certFile?: string
  readonly keyFile?: string
  readonly caFile?: string
  readonly certData?: string
  readonly keyData?: string
  readonly caData?: string
}

export interface LeaderElectionConfig {
  readonly leaderElect: boolean
  readonly namespace: string
  readonly name: string
  readonly leaseDurationMs: number
  readonly renewDeadlineMs: number
  readonly retryPeriodMs: number
}

export interface ClientConnectionConfig {
  /** '' for the cluster that this runs in. */
  readonly kubeconfig: string
  readonly acceptContentTypes: string
  readonly contentType: string
  /** Requests a second; negative for any number, which is the default here: to bound its clients is the API server's part. */
  readonly qps: number
  readonly burst: number
}

/** KubeSchedulerConfiguration (kubescheduler.config.k8s.io/v1) as it is run. */
export interface SchedulerConfig {
  readonly profiles: readonly ProfileConfig[]
  readonly extenders: readonly ExtenderConfig[]
  /** Upstream's threads of one cycle. A cycle here has one thread; this is how many victims of a preemption are told at a time. */
  readonly parallelism: number
  readonly podInitialBackoffMs: number
  readonly podMaxBackoffMs: number
  /** How long a pod stays unschedulable without any event before it is tried again all the same. */
  readonly maxUnschedulableMs: number
  /** Whether the cluster is read only once this scheduler leads. */
  readonly delayCacheUntilActive: boolean
  readonly enableProfiling: boolean
  readonly leaderElection: LeaderElectionConfig
  readonly clientConnection: ClientConnectionConfig
  readonly gates: FeatureGates
  /** The file as written: it can be passed on to another thread, and read again there. */
  readonly file: unknown
  /** The file with its defaults filled in: for /configz and --write-config-to. */
  readonly document: Readonly<Record<string, unknown>>
}
