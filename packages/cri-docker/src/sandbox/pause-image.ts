import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { nativeBinary } from '@berth/native'
import { pack } from 'tar-stream'
import type { Engine } from '../engine/connect.ts'
import { engineStatus } from '../errors.ts'

/** The repository of the image that sandboxes run; its tag is the program's digest, so another program is another image. */
export const pauseRepository = 'berth.dev/pause'

/** The image of sandboxes: one file, made on this machine, so that no registry is needed. */
export interface PauseImage {
  /** Its name, after making sure that the Engine has it (once: then it is believed to stay). */
  ensure(): Promise<string>
  /** It turned out to be gone: the next `ensure` looks again. */
  forget(): void
}

export function createPauseImage(engine: Engine): PauseImage {
  let making: Promise<string> | undefined
  const make = async (): Promise<string> => {
    const program = await readFile(nativeBinary())
    const tag = createHash('sha256').update(program).digest('hex').slice(0, 16)
    const name = `${pauseRepository}:${tag}`
    if (!(await exists(engine, name))) await importImage(engine, program, tag)
    return name
  }
  return {
    ensure() {
      making ??= make().catch((error: unknown) => {
        making = undefined
        throw error
      })
      return making
    },
    forget() {
      making = undefined
    },
  }
}

async function exists(engine: Engine, name: string): Promise<boolean> {
  try {
    await engine.docker.getImage(name).inspect()
    return true
  } catch (error) {
    if (engineStatus(error) === 404) return false
    throw error
  }
}

async function importImage(engine: Engine, program: Buffer, tag: string): Promise<void> {
  const tar = pack()
  tar.entry({ name: 'pause', mode: 0o755 }, program)
  tar.finalize()
  // A stream is what the Engine's client sends; its types know only a path.
  const stream = await engine.docker.importImage(tar as unknown as string, { fromSrc: '-', repo: pauseRepository, tag, changes: ['ENTRYPOINT ["/pause","pause"]', 'USER 65535:65535'] })
  await new Promise<void>((resolve, reject) => engine.docker.modem.followProgress(stream, (error) => (error ? reject(error) : resolve())))
}
