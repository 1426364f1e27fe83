import fs from 'node:fs'
import type Docker from 'dockerode'
import { nativeBinary } from '@berth/native'
import { pack } from 'tar-stream'
import type { Layout } from '../instance/layout.ts'

/** The label that marks a node's anchor container; its value is the node's name. */
const anchorLabel = 'berth.dev/anchor'
/** The label with the name of the instance that made a container. */
export const instanceLabel = 'berth.dev/instance'
/** The label with which the CRI shim marks a node's sandboxes and containers; its value is `instance/node`. */
export const nodeLabel = 'berth.dev/node'

const repository = 'berth/anchor'

function isNotFound(error: unknown): boolean {
  return (error as { statusCode?: number }).statusCode === 404
}

/** Makes the anchors' image out of the native program, unless it is there. Gives its reference. */
async function ensureImage(docker: Docker): Promise<string> {
  const binary = fs.readFileSync(nativeBinary())
  const { size, mtimeMs } = fs.statSync(nativeBinary())
  const reference = `${repository}:${size.toString(36)}-${Math.floor(mtimeMs).toString(36)}`
  try {
    await docker.getImage(reference).inspect()
    return reference
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
  const tar = pack()
  tar.entry({ name: 'pause', mode: 0o755 }, binary)
  tar.finalize()
  const [repo, tag] = reference.split(':') as [string, string]
  const stream = await docker.importImage(tar as unknown as NodeJS.ReadableStream, { repo, tag })
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(stream, (error: Error | null) => (error ? reject(error) : resolve()))
  })
  return reference
}

/** A running anchor: its container, and the process whose network namespace is the node's. */
export interface Anchor {
  readonly id: string
  readonly pid: number
  /** It was made now: whatever ran on the node before has lost its network. */
  readonly isNew: boolean
}

/**
 * The anchor container of a node: pause, without a network, alive as long as the node is up. One that runs is found;
 * one that has died is replaced (which is the node's reboot).
 */
export async function ensureAnchor(docker: Docker, layout: Layout, node: string): Promise<Anchor> {
  const name = `${layout.name}-anchor-${node}`
  const container = docker.getContainer(name)
  try {
    const { Id, State } = await container.inspect()
    if (State.Running && State.Pid > 0) return { id: Id, pid: State.Pid, isNew: false }
    await container.remove({ force: true })
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
  const created = await docker.createContainer({
    name,
    Image: await ensureImage(docker),
    Entrypoint: ['/pause', 'pause'],
    Hostname: node,
    Labels: { [anchorLabel]: node, [instanceLabel]: layout.name },
    HostConfig: { NetworkMode: 'none', CgroupParent: `/${layout.name}/anchors`, LogConfig: { Type: 'none', Config: {} }, RestartPolicy: { Name: 'no' } },
  })
  await created.start()
  const { Id, State } = await created.inspect()
  return { id: Id, pid: State.Pid, isNew: true }
}

/**
 * Ends what still runs of a node whose anchor has died: its sandboxes' links went with the anchor's namespace. They are
 * left as ended containers, which is what a kubelet finds after a reboot. Gives how many.
 */
export async function endContainersOf(docker: Docker, layout: Layout, node: string): Promise<number> {
  const running = await docker.listContainers({ filters: { label: [`${nodeLabel}=${layout.name}/${node}`] } })
  await Promise.all(running.map(async ({ Id }) => {
    try {
      await docker.getContainer(Id).kill({ signal: 'SIGKILL' })
    } catch (error) {
      // Gone, or ended in the meantime.
      if (!isNotFound(error) && (error as { statusCode?: number }).statusCode !== 409) throw error
    }
  }))
  return running.length
}
