import { setTimeout as sleep } from 'node:timers/promises'
import Docker from 'dockerode'
import { instanceLabel, nodeLabel } from '../anchor/anchor.ts'
import type { Layout } from '../instance/layout.ts'

/**
 * Removes every container of the instance, a few at a time; gives how many. On the private Engine those are all; on a
 * user's Engine those that carry the instance's labels. An Engine that does not come back is an error.
 */
export async function removeContainers(layout: Layout, dockerHost: string): Promise<number> {
  const docker = new Docker({ socketPath: dockerHost.replace(/^unix:\/\//, '') })
  for (let tries = 0; ; tries++) {
    try {
      await docker.ping()
      break
    } catch (error) {
      if (tries > 100) throw error
      await sleep(100)
    }
  }
  const isPrivate = dockerHost === `unix://${layout.engine.dockerSocket}`
  const containers = (await docker.listContainers({ all: true })).filter((c) => isPrivate || c.Labels[instanceLabel] === layout.name || c.Labels[nodeLabel]?.startsWith(`${layout.name}/`))
  const queue = [...containers]
  await Promise.all(Array.from({ length: 6 }, async () => {
    for (let next = queue.pop(); next; next = queue.pop()) {
      try {
        await docker.getContainer(next.Id).remove({ force: true, v: true })
      } catch (error) {
        if ((error as { statusCode?: number }).statusCode !== 404 && (error as { statusCode?: number }).statusCode !== 409) throw error
      }
    }
  }))
  return containers.length
}
