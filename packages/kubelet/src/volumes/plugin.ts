import type { ConfigMap, PersistentVolume, Pod, Secret, ServiceAccountTokenProjection, Volume, VolumeSource } from '@berth/api/types/core/v1'
import type { DownwardFacts } from '../pods/downward.ts'
import type { Mounter } from './mounter.ts'

/** What a volume plugin may use. Objects that do not exist are undefined. */
export interface VolumeContext {
  pod: Pod
  /** <root>/pods/<uid> */
  podDir: string
  mounter: Mounter
  configMap(name: string): Promise<ConfigMap | undefined>
  secret(name: string): Promise<Secret | undefined>
  /** A token of the pod's service account, renewed before it expires. */
  token(projection: ServiceAccountTokenProjection): Promise<string>
  downward: DownwardFacts
  /** The volume that a claim of the pod's namespace is bound to; `owned`: the claim has to be the pod's own. Throws a ClaimError where it is not bound. */
  boundVolume(claim: string, owned: boolean): Promise<PersistentVolume>
  nodeLabels(): Readonly<Record<string, string>>
  /** In bytes: what a memory-backed emptyDir without a limit may use. */
  memoryLimit: bigint
}

/**
 * A type of volume. `setUp` is called on every pass and must be cheap and without effect where nothing has changed; it throws where the volume
 * cannot be had now. Tearing down is the same for all: what is mounted below the pod's directory is unmounted, then the directory goes.
 */
export interface VolumePlugin {
  /** The field of the volume that asks for it. */
  readonly source: keyof VolumeSource
  /** Makes the volume as the pod may see it and gives its path on the host. */
  setUp(volume: Volume, context: VolumeContext): Promise<string>
}

/** Where a plugin's volumes of a pod lie: <pod>/volumes/kubernetes.io~<type>/<name>. */
export const volumePath = (context: VolumeContext, type: string, name: string): string => `${context.podDir}/volumes/kubernetes.io~${type}/${name}`

/** The one user all containers run as, if there is one: then files may belong to it alone. */
export function fsUserOf(pod: Pod): number | undefined {
  const all = [...(pod.spec.initContainers ?? []), ...pod.spec.containers, ...(pod.spec.ephemeralContainers ?? [])]
  const users = new Set(all.map((c) => c.securityContext?.runAsUser ?? pod.spec.securityContext?.runAsUser))
  const [only] = users
  return users.size === 1 ? only : undefined
}
