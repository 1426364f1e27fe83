import { mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type ContainerConfig, type ContainerMetadata, type CreateContainerRequest, CriError } from '@berth/cri'
import type Docker from 'dockerode'
import { attempt, engineMessage, engineStatus, toCriError } from '../errors.ts'
import { type ImageMountSource, imageMountSource } from '../images/image-volumes.ts'
import { localLogOptions } from '../logs/local-log.ts'
import { createOrReplace, filesOf } from '../sandbox/run.ts'
import { cgroupParentOf, type Shim } from '../shim.ts'
import { containerName, type ContainerSpec, type Identity, labelsOf } from '../state/labels.ts'
import type { SandboxRecord } from '../state/record.ts'
import { capabilitiesToAdd, effectiveCapabilities } from './capabilities.ts'
import { cgroupFilesOf } from './cgroup-files.ts'
import { cdiRequests } from './devices.ts'
import { checkUser, identityOf } from './identity.ts'
import { dockerMounts } from './mounts.ts'
import { containerNamespaces, refuseUserNamespace } from './namespaces.ts'
import { dockerResources } from './resources.ts'
import { privilegesOf } from './privileged.ts'
import { securityOptions } from './security.ts'
import { stopSignal } from './signals.ts'

/** CreateContainer: makes the container in a sandbox that runs. A leftover of an attempt that was cut off is replaced. */
export async function createContainer(shim: Shim, { podSandboxId, config, sandboxConfig }: CreateContainerRequest): Promise<string> {
  if (!config?.metadata) throw new CriError('InvalidArgument', 'config.metadata: is required')
  if (config.metadata.name === '') throw new CriError('InvalidArgument', 'config.metadata.name: is required')
  const { metadata } = config
  const sandbox = await shim.store.mustSandbox(podSandboxId)
  if (sandbox.state !== 'running') throw new CriError('FailedPrecondition', `sandbox ${sandbox.id} is not running`)
  const image = config.image?.image ?? ''
  if (image === '') throw new CriError('InvalidArgument', 'config.image.image: is required')
  const name = containerName(shim.node, metadata, sandbox.spec.metadata)
  checkUser(config.linux?.securityContext ?? {})
  const cgroupFiles = cgroupFilesOf(config.linux?.resources, shim.cgroups)
  const identity = await identityIn(shim, config, image)
  const spec = { ...containerSpec(config, metadata, sandbox, sandboxConfig?.logDirectory ?? sandbox.spec.logDirectory), ...(identity ? { identity } : {}), ...(cgroupFiles ? { cgroupFiles } : {}) }
  return shim.locks.run(name, async () => {
    await makeMountSources(config)
    const options = await createOptions(shim, name, image, config, spec, sandbox)
    try {
      const id = await attempt(`failed to create container ${JSON.stringify(metadata.name)}`, () => createOrReplace(shim, options))
      await shim.store.refresh(id)
      return id
    } catch (error) {
      // Kubelets tell a missing image by these words.
      if (error instanceof CriError && engineStatus(error.cause) === 404) throw new CriError('NotFound', `image ${JSON.stringify(image)} is not present: ${error.message}`, { cause: error })
      throw error
    }
  })
}

/** As whom the container runs; a missing image is the caller's to pull. */
async function identityIn(shim: Shim, config: ContainerConfig, image: string): Promise<Identity | undefined> {
  try {
    return identityOf(config.linux?.securityContext ?? {}, await shim.imageUsers.of(image))
  } catch (error) {
    if (engineStatus(error) === 404) throw new CriError('NotFound', `image ${JSON.stringify(image)} is not present: ${engineMessage(error)}`, { cause: error })
    throw toCriError(error, `failed to read the users of image ${JSON.stringify(image)}`)
  }
}

function containerSpec(config: ContainerConfig, metadata: ContainerMetadata, sandbox: SandboxRecord, logDirectory: string): ContainerSpec {
  return {
    kind: 'container',
    metadata,
    labels: config.labels,
    annotations: config.annotations,
    sandboxId: sandbox.id,
    image: config.image?.userSpecifiedImage || (config.image?.image ?? ''),
    logPath: config.logPath === '' || logDirectory === '' ? '' : join(logDirectory, config.logPath),
    stopSignal: config.stopSignal,
    mounts: config.mounts.map(({ containerPath, hostPath, readonly, propagation, recursiveReadOnly, image, imageSubPath }) => ({
      ...{ containerPath, hostPath, readonly, propagation, recursiveReadOnly },
      ...(image ? { image: { image: image.image, userSpecifiedImage: image.userSpecifiedImage, imageRef: image.image }, imageSubPath } : {}),
    })),
  }
}

/** A source that is missing becomes a directory, as other runtimes do. */
async function makeMountSources(config: ContainerConfig): Promise<void> {
  for (const { hostPath } of config.mounts) {
    if (!hostPath.startsWith('/')) continue
    try {
      await stat(hostPath)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw new CriError('Unknown', `cannot use ${hostPath}: ${(error as Error).message}`, { cause: error })
      await attempt(`cannot make ${hostPath}`, () => mkdir(hostPath, { recursive: true, mode: 0o755 }))
    }
  }
}

async function createOptions(shim: Shim, name: string, image: string, config: ContainerConfig, spec: ContainerSpec, sandbox: SandboxRecord): Promise<Docker.ContainerCreateOptions> {
  const context = config.linux?.securityContext
  refuseUserNamespace(context?.namespaceOptions)
  const namespaces = containerNamespaces(context?.namespaceOptions ?? { ...sandbox.spec.namespaces, targetId: '' }, sandbox.id, shim.hostNetwork)
  const { identity } = spec
  const images = new Map<number, ImageMountSource>()
  for (const [index, mount] of config.mounts.entries()) {
    // Containers of one sandbox share what is mounted.
    if (mount.image) images.set(index, await shim.locks.run(`images of ${sandbox.id}`, () => imageMountSource(shim.engine, mount, index, sandbox.spec.directory)))
  }
  const privileges = context?.privileged ? await privilegesOf(effectiveCapabilities(), shim.engine) : undefined
  const mounts = dockerMounts(config, filesOf(sandbox.spec), shim.engine, images)
  return {
    name,
    Image: image,
    // An entry point of the pod's own does not take the image's arguments along.
    ...(config.command.length > 0 ? { Entrypoint: config.command, Cmd: config.args } : config.args.length > 0 ? { Cmd: config.args } : {}),
    Env: config.envs.map(({ key, value }) => `${key}=${Buffer.from(value).toString('utf8')}`),
    ...(config.workingDir === '' ? {} : { WorkingDir: config.workingDir }),
    // Given with a group, the Engine adds none of the image's groups by itself: those that the policy wants are named below.
    ...userOf(config, identity),
    ...(config.stopSignal === 'RUNTIME_DEFAULT' ? {} : { StopSignal: stopSignal(config.stopSignal) }),
    Labels: labelsOf(spec, shim.node),
    Tty: config.tty,
    OpenStdin: config.stdin,
    StdinOnce: config.stdinOnce,
    // A health check of the image is not Kubernetes' way.
    Healthcheck: { Test: ['NONE'] },
    HostConfig: {
      ...namespaces,
      ...dockerResources(config.linux?.resources),
      CgroupParent: sandbox.spec.cgroupParent || cgroupParentOf(shim, ''),
      OomScoreAdj: shim.clampOomScore(Number(config.linux?.resources?.oomScoreAdj ?? 0n)),
      Mounts: [...(privileges?.mounts ?? []).filter(({ Target }) => !mounts.some((mount) => mount.Target === Target)), ...mounts] as Docker.MountSettings[],
      ReadonlyRootfs: context?.readonlyRootfs ?? false,
      CapAdd: capabilitiesToAdd(context?.capabilities?.addCapabilities ?? [], effectiveCapabilities(), shim.engine),
      CapDrop: context?.capabilities?.dropCapabilities ?? [],
      GroupAdd: (identity ? identity.supplementalGroups.map(BigInt) : (context?.supplementalGroups ?? [])).map(String),
      SecurityOpt: await securityOptions(context ?? {}, shim.readProfile),
      ...(privileges ? {} : { MaskedPaths: context?.maskedPaths ?? [], ReadonlyPaths: context?.readonlyPaths ?? [] }),
      Devices: config.devices.map(({ hostPath, containerPath, permissions }) => ({ PathOnHost: hostPath, PathInContainer: containerPath, CgroupPermissions: permissions })),
      ...cdiRequests(config, shim.engine),
      RestartPolicy: { Name: 'no' },
      LogConfig: spec.logPath === '' ? { Type: 'none', Config: {} } : { Type: 'local', Config: localLogOptions },
      ...(sandbox.spec.runtimeHandler === '' ? {} : { Runtime: sandbox.spec.runtimeHandler }),
      ...privileges?.host,
    },
  }
}

/** Docker's `User`. One that the image does not know is the Engine's to refuse when it starts the container. */
function userOf(config: ContainerConfig, identity: Identity | undefined): { User?: string } {
  if (identity) return { User: `${identity.uid}:${identity.gid}` }
  const user = config.linux?.securityContext?.runAsUsername ?? ''
  return user === '' ? {} : { User: user }
}
