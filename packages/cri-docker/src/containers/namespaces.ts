import { CriError, type NamespaceMode, type NamespaceOption } from '@berth/cri'

/** Docker's namespace modes. */
export interface DockerNamespaces {
  NetworkMode: string
  PidMode: string
  IpcMode: string
}

const pod = { network: 'POD', pid: 'POD', ipc: 'POD' } as const

/** The namespaces that a sandbox itself has. `hostNetwork` is what stands for the node's network: `host`, or `container:<anchor>`. */
export function sandboxNamespaces(options: Pick<NamespaceOption, 'network' | 'pid' | 'ipc'> = pod, hostNetwork: string): DockerNamespaces {
  return {
    NetworkMode: options.network === 'NODE' ? hostNetwork : 'none',
    PidMode: options.pid === 'NODE' ? 'host' : '',
    IpcMode: options.ipc === 'NODE' ? 'host' : 'shareable',
  }
}

/** The namespaces of a container in a sandbox. A node's network is joined directly, not by way of the sandbox. */
export function containerNamespaces(options: Pick<NamespaceOption, 'network' | 'pid' | 'ipc' | 'targetId'>, sandboxId: string, hostNetwork: string): DockerNamespaces {
  return {
    NetworkMode: options.network === 'NODE' ? hostNetwork : `container:${sandboxId}`,
    PidMode: pidMode(options.pid, options.targetId, sandboxId),
    IpcMode: options.ipc === 'NODE' ? 'host' : `container:${sandboxId}`,
  }
}

function pidMode(mode: NamespaceMode, targetId: string, sandboxId: string): string {
  switch (mode) {
    case 'POD':
      return `container:${sandboxId}`
    case 'NODE':
      return 'host'
    case 'CONTAINER':
      return ''
    case 'TARGET':
      if (targetId === '') throw new CriError('InvalidArgument', 'security_context.namespace_options.target_id: is required with TARGET')
      return `container:${targetId}`
    default:
      throw new CriError('InvalidArgument', `security_context.namespace_options.pid: unknown value ${String(mode)}`)
  }
}

/** Refuses user namespaces, which Docker has only for all its containers together (userns-remap). */
export function refuseUserNamespace(options: NamespaceOption | undefined): void {
  const mode = options?.usernsOptions?.mode
  if (mode !== undefined && mode !== 'NODE') throw new CriError('InvalidArgument', `security_context.namespace_options.userns_options.mode: ${mode} is not possible: no version of Docker has user namespaces of a pod`)
}
