import { chmod, mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Container, Pod, Volume, VolumeMount } from '@berth/api/types/core/v1'
import type { Init, Mount, MountPropagation } from '@berth/cri'
import { ClaimError, MountError, messageOf } from '../errors.ts'
import { expand } from '../pods/expansion.ts'
import { allContainers } from '../pods/containers.ts'
import type { Mounter } from './mounter.ts'
import { setVolumeOwnership } from './ownership.ts'
import type { VolumeContext, VolumePlugin } from './plugin.ts'
import { bindSubPath } from './sub-path.ts'

const propagation: Record<string, MountPropagation> = {
  HostToContainer: 'PROPAGATION_HOST_TO_CONTAINER',
  Bidirectional: 'PROPAGATION_BIDIRECTIONAL',
  None: 'PROPAGATION_PRIVATE',
}

/** The volumes of pods. */
export interface VolumeManager {
  podDir(uid: string): string
  /** Makes every volume that a container of the pod mounts, or brings it up to date. Throws a MountError at the first that cannot be had. */
  setUp(pod: Pod, context: Omit<VolumeContext, 'podDir' | 'mounter'>): Promise<Map<string, string>>
  /** The mounts of one container, given the paths that {@link setUp} answered. */
  mounts(pod: Pod, container: Container, paths: ReadonlyMap<string, string>, env: Record<string, string>, recursiveReadOnly: boolean): Promise<Init<Mount>[]>
  /** Unmounts what is mounted below the pod's directory and removes its volumes, or the whole directory. Throws where something is busy. */
  tearDown(uid: string, options: { keepPodDir: boolean }): Promise<void>
  /** The uids that have a directory. */
  podsOnDisk(): Promise<string[]>
}

export function createVolumeManager(options: { rootDir: string; mounter: Mounter; plugins: readonly VolumePlugin[] }): VolumeManager {
  const { mounter } = options
  const pods = join(options.rootDir, 'pods')
  const podDir = (uid: string): string => join(pods, uid)
  const bySource = new Map<string, VolumePlugin>(options.plugins.map((p) => [p.source, p]))

  const setUpOne = async (volume: Volume, context: VolumeContext): Promise<string> => {
    const source = Object.keys(volume).find((k) => k !== 'name' && volume[k as keyof Volume] !== undefined) ?? 'emptyDir'
    const plugin = bySource.get(source)
    try {
      if (!plugin) throw new Error(`volumes of type ${source} are not served by this kubelet`)
      return await plugin.setUp(volume, context)
    } catch (error) {
      if (error instanceof ClaimError) throw new MountError(volume.name, `Unable to attach or mount volumes: unmounted volumes=[${volume.name}], unattached volumes=[], failed to process volumes=[${volume.name}]: ${error.message}`, error)
      throw new MountError(volume.name, `MountVolume.SetUp failed for volume "${volume.name}" : ${messageOf(error)}`, error)
    }
  }

  return {
    podDir,
    setUp: async (pod, given) => {
      const context: VolumeContext = { ...given, podDir: podDir(pod.metadata.uid ?? ''), mounter }
      await mkdir(join(context.podDir, 'volumes'), { recursive: true, mode: 0o750 })
      const used = new Set(allContainers(pod).flatMap((c) => (c.spec.volumeMounts ?? []).map((m) => m.name)))
      const devices = allContainers(pod).flatMap((c) => c.spec.volumeDevices ?? [])[0]
      if (devices) throw new MountError(devices.name, `volumeDevices (raw block volume "${devices.name}") are not served by this kubelet`)
      const paths = new Map<string, string>()
      for (const volume of pod.spec.volumes ?? []) if (used.has(volume.name)) paths.set(volume.name, await setUpOne(volume, context))
      return paths
    },
    mounts: async (pod, container, paths, env, recursiveReadOnly) => {
      const result: Init<Mount>[] = []
      const uid = pod.metadata.uid ?? ''
      for (const [index, m] of (container.volumeMounts ?? []).entries()) {
        const path = paths.get(m.name)
        if (path === undefined) throw new Error(`volume "${m.name}" of container ${container.name} is not set up`)
        if (m.recursiveReadOnly === 'Enabled' && !recursiveReadOnly)
          throw new Error(`failed to resolve recursive read-only mode: volume "${m.name}" requested recursive read-only mode, but it is not supported by the runtime`)
        const subPath = m.subPathExpr ? expandStrictly(m, env) : (m.subPath ?? '')
        const hostPath = subPath === '' ? path : await bindSubPath(path, subPath, join(podDir(uid), 'volume-subpaths', m.name, container.name, String(index)), mounter, true)
        const fsGroup = pod.spec.securityContext?.fsGroup
        if (subPath !== '' && fsGroup !== undefined && pod.spec.volumes?.some((v) => v.name === m.name && v.emptyDir)) await setVolumeOwnership(hostPath, fsGroup, { onRootMismatch: true })
        result.push({
          containerPath: m.mountPath.startsWith('/') ? m.mountPath : `/${m.mountPath}`,
          hostPath,
          readonly: m.readOnly === true || pod.spec.volumes?.find((v) => v.name === m.name)?.persistentVolumeClaim?.readOnly === true,
          propagation: propagation[m.mountPropagation ?? 'None'] ?? 'PROPAGATION_PRIVATE',
          recursiveReadOnly: recursiveReadOnly && m.readOnly === true && (m.recursiveReadOnly === 'Enabled' || m.recursiveReadOnly === 'IfPossible'),
        })
      }
      return result
    },
    tearDown: async (uid, { keepPodDir }) => {
      const dir = podDir(uid)
      for (const point of await mounter.below(dir)) await mounter.unmount(point)
      const left = await mounter.below(dir)
      if (left.length > 0) throw new Error(`${left[0]} is still mounted`)
      for (const path of keepPodDir ? [join(dir, 'volumes'), join(dir, 'volume-subpaths')] : [dir]) await rm(path, { recursive: true, force: true })
    },
    podsOnDisk: async () => {
      const names = await readdir(pods).catch(() => [])
      const found = await Promise.all(names.map(async (n) => ((await stat(join(pods, n)).catch(() => undefined))?.isDirectory() ? n : undefined)))
      return found.filter((n) => n !== undefined)
    },
  }
}

/** subPathExpr must not name what the environment has not. */
function expandStrictly(m: VolumeMount, env: Record<string, string>): string {
  const missing: string[] = []
  const text = expand(m.subPathExpr ?? '', (name) => {
    if (env[name] === undefined) missing.push(name)
    return env[name]
  })
  if (missing.length > 0) throw new Error(`failed to expand subPath for volumeMount "${m.name}" of container: missing value for "${missing[0]}"`)
  return text
}

/** Makes the directories of a pod that exist whatever its volumes are. */
export async function makePodDirs(podDir: string): Promise<void> {
  await mkdir(podDir, { recursive: true, mode: 0o750 })
  await chmod(podDir, 0o750)
  for (const name of ['volumes', 'plugins', 'containers']) await mkdir(join(podDir, name), { recursive: true, mode: 0o750 })
}
