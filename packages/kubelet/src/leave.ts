import { rm } from 'node:fs/promises'
import { createCriClient } from '@berth/cri'
import { openCgroups } from './cgroups/files.ts'
import { nativeMounter } from './volumes/mounter.ts'

/** What a kubelet had that is to go with it. */
export interface Leaving {
  readonly runtimeEndpoint: string
  /** The pods that ran here, by uid; sandboxes of others are not touched. */
  readonly pods: ReadonlySet<string>
  /** Holds nothing but what the kubelet made. */
  readonly rootDir: string
  readonly cgroupRoot: string
}

/** Takes away all that a stopped kubelet leaves on its machine, for nodes that do not come back: sandboxes with their containers, mounts, directories, cgroups. */
export async function leaveNode({ runtimeEndpoint, pods, rootDir, cgroupRoot }: Leaving): Promise<void> {
  const cri = createCriClient(runtimeEndpoint)
  try {
    const { items } = await cri.listPodSandbox({})
    for (const { id, metadata } of items.filter((sandbox) => pods.has(sandbox.metadata?.uid ?? ''))) {
      await cri.stopPodSandbox({ podSandboxId: id })
      await cri.removePodSandbox({ podSandboxId: id }).catch((error: unknown) => {
        throw new Error(`the sandbox of pod ${metadata?.name} cannot be removed: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
      })
    }
  } finally {
    cri.close()
  }
  const mounter = nativeMounter()
  for (const point of await mounter.below(rootDir)) await mounter.unmount(point)
  await rm(rootDir, { recursive: true, force: true })
  await openCgroups().remove(cgroupRoot)
}
