import { extract } from 'tar-stream'
import type { ImageUsers } from '../containers/identity.ts'
import type { Engine } from '../engine/connect.ts'
import { engineStatus, tolerate } from '../errors.ts'
import { KeyedLocks } from '../locks.ts'

/** A container of the shim's own that is never started; ends with the call that made it, or when the shim starts again. */
const helperLabel = 'berth.dev/helper'

/** Knows the users of images; asks the Engine once for each image. */
export interface ImageUserReader {
  /** By id or name; which image a name means is asked each time. */
  of(image: string): Promise<ImageUsers>
  /** Removes containers that an asking left which was cut off, by the shim's end or the Engine's. */
  collect(): Promise<void>
}

/** How many images' files are kept. */
const kept = 500

/** Links of a link of a link ... are followed this far. */
const maxLinks = 5

export function createImageUserReader(engine: Engine, node: string): ImageUserReader {
  const known = new Map<string, Promise<ImageUsers>>()
  // One asking at a time, so that what there is beside it is left over.
  const locks = new KeyedLocks()
  const read = async (image: string, user: string): Promise<ImageUsers> => {
    const container = await engine.docker.createContainer({ Image: image, Entrypoint: ['/none'], NetworkDisabled: true, Labels: { [helperLabel]: node }, HostConfig: { LogConfig: { Type: 'none', Config: {} } } })
    try {
      const [passwd, group] = await Promise.all([readFile(container, '/etc/passwd'), readFile(container, '/etc/group')])
      return { user, passwd, group }
    } finally {
      await tolerate([404, 409], () => container.remove({ force: true }))
    }
  }
  return {
    async of(image) {
      const found = known.get(image)
      if (found) return found
      const { Id, Config } = await engine.docker.getImage(image).inspect()
      const already = known.get(Id)
      if (already) return already
      const reading = locks.run(helperLabel, () => read(Id, Config?.User ?? ''))
      known.set(Id, reading)
      reading.catch(() => known.delete(Id))
      const [oldest] = known.keys()
      if (known.size > kept && oldest !== undefined) known.delete(oldest)
      return reading
    },
    collect: () =>
      locks.run(helperLabel, async () => {
        const left = await engine.docker.listContainers({ all: true, filters: { label: [`${helperLabel}=${node}`] } })
        for (const { Id } of left) await tolerate([404, 409], () => engine.docker.getContainer(Id).remove({ force: true }))
      }),
  }
}

interface Archive {
  getArchive(options: { path: string }): Promise<NodeJS.ReadableStream>
}

/** A small file of a container; '' where there is none. Links are followed inside the container. */
async function readFile(container: Archive, path: string, links = 0): Promise<string> {
  let stream: NodeJS.ReadableStream
  try {
    stream = await container.getArchive({ path })
  } catch (error) {
    if (engineStatus(error) === 404) return ''
    throw error
  }
  const entries = stream.pipe(extract())
  let text = ''
  let link: string | undefined
  for await (const entry of entries) {
    if (entry.header.type === 'symlink') link = entry.header.linkname ?? undefined
    const chunks: Buffer[] = []
    for await (const chunk of entry) chunks.push(chunk as Buffer)
    if (entry.header.type === 'file') text = Buffer.concat(chunks).toString('utf8')
  }
  if (link === undefined || links === maxLinks) return text
  return readFile(container, link.startsWith('/') ? link : `${path.replace(/[^/]*$/, '')}${link}`, links + 1)
}
