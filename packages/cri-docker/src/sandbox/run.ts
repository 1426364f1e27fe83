import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { CriError, type PodSandboxConfig, type PodSandboxMetadata, type RunPodSandboxRequest } from '@berth/cri'
import { runNetActions } from '@berth/native'
import type Docker from 'dockerode'
import { refuseUserNamespace, sandboxNamespaces } from '../containers/namespaces.ts'
import { attempt, engineMessage, engineStatus, tolerate, toCriError } from '../errors.ts'
import { cgroupParentOf, type Shim } from '../shim.ts'
import { labelsOf, type SandboxSpec, sandboxName } from '../state/labels.ts'
import { isSandbox } from '../state/record.ts'
import { hostsFile, removeSandboxFiles, sandboxFiles, writeSandboxFiles } from './files.ts'
import { attachmentOf, namespacePath } from './network.ts'

/**
 * RunPodSandbox: the pause container, its files, its network. What fails is taken away again. A leftover of an attempt that was cut off
 * (same name, not running) is replaced; a sandbox of this name that runs is AlreadyExists.
 */
export async function runPodSandbox(shim: Shim, { config, runtimeHandler }: RunPodSandboxRequest, signal: AbortSignal): Promise<string> {
  if (!config) throw new CriError('InvalidArgument', 'config: is required')
  const metadata = requireMetadata(config)
  const name = sandboxName(shim.node, metadata)
  return shim.locks.run(name, async () => {
    const spec = sandboxSpec(shim, config, metadata, runtimeHandler)
    await shim.runtimes.check(runtimeHandler)
    if (spec.namespaces.network !== 'NODE') {
      const reason = await shim.network.notReady(signal)
      if (reason !== '') throw new CriError('Unavailable', `failed to set up sandbox network for pod ${metadata.namespace}/${metadata.name}: ${reason}`)
    }
    await attempt(`failed to write files of sandbox ${name}`, () => writeSandboxFiles(spec.directory, config.dnsConfig, hostsFile(config.hostname, [])))
    let id: string | undefined
    try {
      id = await createPause(shim, name, spec, config)
      return await startPause(shim, id, spec, config, signal)
    } catch (error) {
      await undo(shim, id, spec)
      throw toCriError(error, `failed to start sandbox ${JSON.stringify(name)}`)
    }
  })
}

function requireMetadata(config: PodSandboxConfig): PodSandboxMetadata {
  if (!config.metadata) throw new CriError('InvalidArgument', 'config.metadata: is required')
  for (const field of ['name', 'namespace', 'uid'] as const) {
    if (config.metadata[field] === '') throw new CriError('InvalidArgument', `config.metadata.${field}: is required`)
  }
  return config.metadata
}

function sandboxSpec(shim: Shim, config: PodSandboxConfig, metadata: PodSandboxMetadata, runtimeHandler: string): SandboxSpec {
  const options = config.linux?.securityContext?.namespaceOptions
  refuseUserNamespace(options)
  const spec: SandboxSpec = {
    kind: 'sandbox',
    metadata,
    labels: config.labels,
    annotations: config.annotations,
    runtimeHandler,
    logDirectory: config.logDirectory,
    hostname: config.hostname,
    cgroupParent: cgroupParentOf(shim, config.linux?.cgroupParent ?? ''),
    namespaces: { network: options?.network ?? 'POD', pid: options?.pid ?? 'POD', ipc: options?.ipc ?? 'POD' },
    portMappings: config.portMappings.map(({ containerPort, hostPort, protocol, hostIp }) => ({ containerPort, hostPort, protocol, hostIp })),
    directory: join(shim.rootDir, 'sandboxes', randomUUID()),
    anchor: shim.anchor,
  }
  // Bad annotations are refused before anything is made.
  attachmentOf('check', '', spec)
  return spec
}

async function createPause(shim: Shim, name: string, spec: SandboxSpec, config: PodSandboxConfig): Promise<string> {
  try {
    return await createPauseOnce(shim, name, spec, config)
  } catch (error) {
    if (engineStatus(error) !== 404) throw error
    // Somebody removed the image.
    shim.pause.forget()
    return createPauseOnce(shim, name, spec, config)
  }
}

async function createPauseOnce(shim: Shim, name: string, spec: SandboxSpec, config: PodSandboxConfig): Promise<string> {
  const image = await attempt('failed to make the pause image', () => shim.pause.ensure())
  const namespaces = sandboxNamespaces(spec.namespaces, shim.hostNetwork)
  const joinsContainer = namespaces.NetworkMode.startsWith('container:')
  const options: Docker.ContainerCreateOptions = {
    name,
    Image: image,
    Labels: labelsOf(spec, shim.node),
    // Where the network is another container's, so is the host name.
    ...(spec.hostname !== '' && !joinsContainer ? { Hostname: spec.hostname } : {}),
    // The namespace is the kernel's own doing; without the Engine's network set-up in it, which CNI replaces, a sandbox starts in half the time.
    NetworkDisabled: namespaces.NetworkMode === 'none',
    HostConfig: {
      ...namespaces,
      CgroupParent: spec.cgroupParent,
      OomScoreAdj: shim.clampOomScore(-998),
      CpuShares: 2,
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      RestartPolicy: { Name: 'no' },
      LogConfig: { Type: 'none', Config: {} },
      ...(Object.keys(config.linux?.sysctls ?? {}).length > 0 ? { Sysctls: config.linux?.sysctls } : {}),
      ...(spec.runtimeHandler !== '' ? { Runtime: spec.runtimeHandler } : {}),
    },
  }
  return createOrReplace(shim, options)
}

/** Creates a container; one of the same name that does not run and is ours is a leftover, and makes room. */
export async function createOrReplace(shim: Shim, options: Docker.ContainerCreateOptions): Promise<string> {
  try {
    return (await shim.engine.docker.createContainer(options)).id
  } catch (error) {
    const conflicting = engineStatus(error) === 409 ? /in use by container "?([0-9a-f]{12,64})"?/.exec(engineMessage(error))?.[1] : undefined
    if (conflicting === undefined) throw error
    const record = await shim.store.refresh(conflicting)
    if (!record) throw error
    if (record.state === 'running') throw new CriError('AlreadyExists', `${options.name} exists already as ${record.id}`, { cause: error })
    await removeEngineContainer(shim, conflicting)
    if (isSandbox(record)) await removeSandboxFiles(shim.engine, record.spec.directory)
    return (await shim.engine.docker.createContainer(options)).id
  }
}

async function startPause(shim: Shim, id: string, spec: SandboxSpec, config: PodSandboxConfig, signal: AbortSignal): Promise<string> {
  await shim.engine.docker.getContainer(id).start()
  const record = await shim.store.refresh(id)
  if (!record || record.pid === 0) throw new CriError('Unknown', `sandbox ${id} ended as soon as it was started`)
  if (spec.namespaces.network !== 'NODE') {
    await attempt(`failed to bring up the loopback of sandbox ${id}`, () => runNetActions(['link-up lo'], { netns: namespacePath(record.pid), signal }))
    const addresses = await shim.network.attach(id, record.pid, spec, signal)
    await writeSandboxFiles(spec.directory, config.dnsConfig, hostsFile(spec.hostname, addresses))
  }
  return id
}

async function undo(shim: Shim, id: string | undefined, spec: SandboxSpec): Promise<void> {
  try {
    if (id !== undefined) await removeEngineContainer(shim, id)
    await removeSandboxFiles(shim.engine, spec.directory)
  } catch (error) {
    shim.logger.error(error, 'Cannot take away a sandbox that failed to start', { id })
  }
}

/** Removes a container from the Engine; one that is gone, or going, is fine. */
export async function removeEngineContainer(shim: Pick<Shim, 'engine' | 'store'>, id: string): Promise<void> {
  try {
    await tolerate([404], () => shim.engine.docker.getContainer(id).remove({ force: true, v: true }))
    shim.store.forget(id)
  } catch (error) {
    // Somebody else is removing it.
    if (engineStatus(error) !== 409) throw error
    await shim.store.refresh(id)
  }
}

/** The sandbox's own files, for its containers. */
export function filesOf(spec: SandboxSpec): ReturnType<typeof sandboxFiles> {
  return sandboxFiles(spec.directory)
}
