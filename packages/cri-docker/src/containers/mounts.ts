import { type ContainerConfig, CriError, type Mount } from '@berth/cri'
import type { Engine } from '../engine/connect.ts'
import type { ImageMountSource } from '../images/image-volumes.ts'
import type { SandboxFiles } from '../sandbox/files.ts'

/** A mount as the Engine's API has it. */
export interface DockerMount {
  Type: 'bind' | 'image'
  Source: string
  Target: string
  ReadOnly: boolean
  ImageOptions?: { Subpath: string }
  BindOptions?: { Propagation?: 'rprivate' | 'rslave' | 'rshared'; ReadOnlyNonRecursive?: boolean; ReadOnlyForceRecursive?: boolean }
}

const propagations = {
  PROPAGATION_PRIVATE: 'rprivate',
  PROPAGATION_HOST_TO_CONTAINER: 'rslave',
  PROPAGATION_BIDIRECTIONAL: 'rshared',
} as const

/**
 * The mounts of a container: those that CRI asks for, and the sandbox's resolv.conf and hosts where those do not say otherwise. Throws CriError for what the Engine cannot do.
 */
export function dockerMounts(
  config: Pick<ContainerConfig, 'mounts'>,
  files: SandboxFiles,
  engine: Pick<Engine, 'speaks' | 'version'>,
  images: ReadonlyMap<number, ImageMountSource> = new Map(),
): DockerMount[] {
  const mounts = config.mounts.map((mount, index) => dockerMount(mount, index, engine, images.get(index)))
  const taken = new Set(mounts.map(({ Target }) => Target))
  for (const [target, source] of [['/etc/resolv.conf', files.resolvConf], ['/etc/hosts', files.hosts]] as const) {
    if (!taken.has(target)) mounts.push({ Type: 'bind', Source: source, Target: target, ReadOnly: false, BindOptions: { Propagation: 'rprivate' } })
  }
  return mounts
}

function dockerMount(mount: Mount, index: number, engine: Pick<Engine, 'speaks' | 'version'>, image: ImageMountSource | undefined): DockerMount {
  const refuse = (field: string, reason: string): never => {
    throw new CriError('InvalidArgument', `mounts[${index}].${field}: ${reason}`)
  }
  if (mount.uidMappings.length > 0 || mount.gidMappings.length > 0) refuse('uidMappings', 'no version of Docker has id-mapped mounts')
  if (!mount.containerPath.startsWith('/')) refuse('container_path', `${JSON.stringify(mount.containerPath)} is not absolute`)
  if (image?.kind === 'image') return { Type: 'image', Source: image.image, Target: mount.containerPath, ReadOnly: true, ...(image.subPath === '' ? {} : { ImageOptions: { Subpath: image.subPath } }) }
  if (image) return { Type: 'bind', Source: image.directory, Target: mount.containerPath, ReadOnly: true, BindOptions: { Propagation: 'rprivate' } }
  if (!mount.hostPath.startsWith('/')) refuse('host_path', `${JSON.stringify(mount.hostPath)} is not absolute`)
  const Propagation = propagations[mount.propagation] ?? refuse('propagation', `unknown value ${String(mount.propagation)}`)
  // The Engine's default is private, but for what holds the Engine's own root: that may only be a slave, and it refuses to be told otherwise.
  const said = Propagation === 'rprivate' ? {} : { Propagation }
  const result: DockerMount = { Type: 'bind', Source: mount.hostPath, Target: mount.containerPath, ReadOnly: mount.readonly, BindOptions: said }
  if (mount.recursiveReadOnly) {
    if (!mount.readonly || Propagation !== 'rprivate') refuse('recursive_read_only', 'needs readonly and private propagation')
    if (!engine.speaks('1.44')) refuse('recursive_read_only', `needs Docker 25, this is ${engine.version}`)
    result.BindOptions = { Propagation, ReadOnlyForceRecursive: true }
  } else if (mount.readonly && engine.speaks('1.44')) {
    result.BindOptions = { ...said, ReadOnlyNonRecursive: true }
  }
  return result
}
