/** What a runtime says about one container instance. Times are milliseconds since 1970; 0 means "never". */
export interface ContainerRecord {
  id: string
  sandboxId: string
  /** The container's name in the pod. */
  name: string
  attempt: number
  state: 'created' | 'running' | 'exited' | 'unknown'
  createdAt: number
  startedAt: number
  finishedAt: number
  exitCode: number
  reason: string
  message: string
  /** As the user wrote it or as the runtime resolves it. */
  image: string
  /** What becomes `imageID` in the status. */
  imageRef: string
  logPath: string
  labels: Record<string, string>
  annotations: Record<string, string>
  user?: { uid: number; gid: number; supplementalGroups: number[] }
  resources?: { cpuShares: number; cpuQuota: number; cpuPeriod: number; memoryLimit: number }
}

/** What a runtime says about one sandbox. */
export interface SandboxRecord {
  id: string
  attempt: number
  ready: boolean
  createdAt: number
  ips: string[]
  hostNetwork: boolean
  name: string
  namespace: string
  uid: string
  labels: Record<string, string>
}

/** Everything the runtime knows of one pod: newest sandbox first, newest container first. */
export interface PodRuntime {
  uid: string
  name: string
  namespace: string
  sandboxes: SandboxRecord[]
  containers: ContainerRecord[]
}

/** Labels and annotations that upstream writes on containers; by them a restarted kubelet finds its own again. */
export const labels = {
  podName: 'io.kubernetes.pod.name',
  podNamespace: 'io.kubernetes.pod.namespace',
  podUid: 'io.kubernetes.pod.uid',
  containerName: 'io.kubernetes.container.name',
} as const

export const annotations = {
  hash: 'io.kubernetes.container.hash',
  restartCount: 'io.kubernetes.container.restartCount',
  terminationMessagePath: 'io.kubernetes.container.terminationMessagePath',
  terminationMessagePolicy: 'io.kubernetes.container.terminationMessagePolicy',
  preStopHandler: 'io.kubernetes.container.preStopHandler',
  ports: 'io.kubernetes.container.ports',
  podDeletionGracePeriod: 'io.kubernetes.pod.deletionGracePeriod',
  podTerminationGracePeriod: 'io.kubernetes.pod.terminationGracePeriod',
} as const

/** The newest instance of a container in the pod. */
export function latestContainer(runtime: PodRuntime, name: string): ContainerRecord | undefined {
  return runtime.containers.find((c) => c.name === name)
}

/** How often the container was restarted before this instance, as upstream keeps it in an annotation. */
export function restartCountOf(record: ContainerRecord): number {
  const text = record.annotations[annotations.restartCount]
  const value = text === undefined ? record.attempt : Number.parseInt(text, 10)
  return Number.isSafeInteger(value) && value >= 0 ? value : record.attempt
}

/** The definition's hash the instance was made from. */
export const hashOf = (record: ContainerRecord): string => record.annotations[annotations.hash] ?? ''

/** True when the pod has nothing alive in the runtime. */
export function nothingRuns(runtime: PodRuntime | undefined): boolean {
  return !runtime || (!runtime.sandboxes.some((s) => s.ready) && !runtime.containers.some((c) => c.state === 'running' || c.state === 'unknown'))
}

/** Sorts newest first, by attempt and then by creation. */
export function newestFirst<T extends { attempt: number; createdAt: number }>(items: T[]): T[] {
  return items.toSorted((a, b) => b.createdAt - a.createdAt || b.attempt - a.attempt)
}
