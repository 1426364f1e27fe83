import type Docker from 'dockerode'
import { type ContainerSpec, type SandboxSpec, specOf } from './labels.ts'

export type RecordState = 'created' | 'running' | 'exited'

/** What is known of one Docker container of ours, taken from its inspection. */
interface RecordBase {
  id: string
  name: string
  state: RecordState
  /** Nanoseconds since 1970; 0n where it has not happened. */
  createdAt: bigint
  startedAt: bigint
  finishedAt: bigint
  exitCode: number
  oomKilled: boolean
  /** Why it could not be started. */
  error: string
  /** 0 where it does not run. */
  pid: number
  imageId: string
  /** Relative to the cgroup file system's root, as Docker was told. */
  cgroupParent: string
  networkMode: string
  tty: boolean
  openStdin: boolean
  stdinOnce: boolean
  user: string
  /** The writable layer's directory; empty where the storage driver has none. */
  upperDir: string
  resources: RecordResources
}

export interface RecordResources {
  cpuPeriod: number
  cpuQuota: number
  cpuShares: number
  memory: number
  memorySwap: number
  memoryReservation: number
  oomScoreAdj: number
  cpusetCpus: string
  cpusetMems: string
}

export interface SandboxRecord extends RecordBase {
  spec: SandboxSpec
}

export interface ContainerRecord extends RecordBase {
  spec: ContainerSpec
}

export type EngineRecord = SandboxRecord | ContainerRecord

export function isSandbox(record: EngineRecord): record is SandboxRecord {
  return record.spec.kind === 'sandbox'
}

export function isContainer(record: EngineRecord): record is ContainerRecord {
  return record.spec.kind === 'container'
}

/** What an inspection says of a container of this node; undefined where it is not ours. */
export function recordOf(inspected: Docker.ContainerInspectInfo, node: string): EngineRecord | undefined {
  const spec = specOf(inspected.Config.Labels, node)
  if (!spec) return undefined
  const { State: state, Config: config, HostConfig: host } = inspected
  const base: RecordBase = {
    id: inspected.Id,
    name: inspected.Name.replace(/^\//, ''),
    state: stateOf(state),
    createdAt: nanoseconds(inspected.Created),
    startedAt: nanoseconds(state.StartedAt),
    finishedAt: nanoseconds(state.FinishedAt),
    exitCode: state.ExitCode,
    oomKilled: state.OOMKilled,
    error: state.Error,
    pid: state.Pid,
    imageId: inspected.Image,
    cgroupParent: host.CgroupParent ?? '',
    networkMode: host.NetworkMode ?? '',
    tty: config.Tty,
    openStdin: config.OpenStdin,
    stdinOnce: config.StdinOnce,
    user: config.User,
    upperDir: (inspected.GraphDriver?.Data as { UpperDir?: string } | null)?.UpperDir ?? '',
    resources: {
      cpuPeriod: host.CpuPeriod ?? 0,
      cpuQuota: host.CpuQuota ?? 0,
      cpuShares: host.CpuShares ?? 0,
      memory: host.Memory ?? 0,
      memorySwap: host.MemorySwap ?? 0,
      memoryReservation: host.MemoryReservation ?? 0,
      oomScoreAdj: host.OomScoreAdj ?? 0,
      cpusetCpus: host.CpusetCpus ?? '',
      cpusetMems: host.CpusetMems ?? '',
    },
  }
  return { ...base, spec } as EngineRecord
}

/** A container whose start failed is left as "created" by Docker, with an exit code: it will never run, so it has exited. */
function stateOf(state: Docker.ContainerInspectInfo['State']): RecordState {
  if (state.Running) return 'running'
  if (state.Status === 'created') return state.ExitCode === 0 ? 'created' : 'exited'
  return 'exited'
}

/** Docker's timestamps (RFC 3339 with nanoseconds) as nanoseconds since 1970; its zero time is 0n. */
export function nanoseconds(timestamp: string): bigint {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(timestamp)
  if (!match || timestamp.startsWith('0001-')) return 0n
  const [, seconds = '', fraction = '', zone = 'Z'] = match
  return BigInt(Date.parse(seconds + zone)) * 1_000_000n + BigInt(fraction.padEnd(9, '0'))
}
