import { statfs } from 'node:fs/promises'
import type { ImageFsInfoResponse, Init, StatusResponse, VersionResponse } from '@berth/cri'
import { attempt } from './errors.ts'
import type { Shim } from './shim.ts'
import { filesystem } from './stats/stats.ts'

/** Version. The runtime is Docker: kubelets and people look for its version. */
export function version(shim: Shim): Init<VersionResponse> {
  return { version: '0.1.0', runtimeName: 'docker', runtimeVersion: shim.engine.version, runtimeApiVersion: 'v1' }
}

/** Status: whether the Engine answers, whether pods can be given a network, and what the runtime can do. */
export async function status(shim: Shim, verbose: boolean, signal: AbortSignal): Promise<Init<StatusResponse>> {
  const engineProblem = await shim.engine.docker.ping().then(
    () => '',
    (error: unknown) => `cannot reach the Docker daemon: ${(error as Error).message}`,
  )
  const handlers = await shim.runtimes.names().catch(() => [''])
  const networkProblem = await shim.network.notReady(signal)
  return {
    status: {
      conditions: [
        { type: 'RuntimeReady', status: engineProblem === '', ...(engineProblem === '' ? {} : { reason: 'DockerDaemonNotReady', message: engineProblem }) },
        {
          type: 'NetworkReady',
          status: networkProblem === '',
          ...(networkProblem === '' ? {} : { reason: 'NetworkPluginNotReady', message: `Network plugin returns error: ${networkProblem}` }),
        },
      ],
    },
    runtimeHandlers: handlers.map((name) => ({ name, features: { recursiveReadOnlyMounts: shim.engine.speaks('1.44'), userNamespaces: false } })),
    features: { supplementalGroupsPolicy: true, userNamespacesHostNetwork: false },
    info: verbose ? { config: JSON.stringify({ docker: shim.engine.version, apiVersion: shim.engine.apiVersion, node: shim.node, rootDir: shim.rootDir }) } : {},
  }
}

/** How old the Engine's own sum of its images may be. */
const freshMs = 60_000

/** ImageFsInfo: images and writable layers are on one file system, the Engine's. */
export function createImageFsInfo(shim: Shim, engineRoot: string): () => Promise<Init<ImageFsInfoResponse>> {
  let layers: { bytes: bigint; at: number } | undefined
  return async () => {
    if (!layers || performance.now() - layers.at > freshMs) {
      // Images only: what containers write would be walked anew by the Engine for each call.
      const bytes = await attempt('failed to ask for the size of images', () => shim.engine.imageBytes())
      layers = { bytes: BigInt(bytes), at: performance.now() }
    }
    const { files, ffree } = await statfs(engineRoot, { bigint: true })
    const info = filesystem(BigInt(Date.now()) * 1_000_000n, engineRoot, layers.bytes, files - ffree)
    return { imageFilesystems: [info], containerFilesystems: [info] }
  }
}
