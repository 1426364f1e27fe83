import { CriError } from '@berth/cri'
import type { Engine } from './engine/connect.ts'

/** The Docker runtimes that RuntimeClass handlers name. */
export interface Runtimes {
  /** All configured ones; '' is the Engine's default. */
  names(): Promise<string[]>
  /** Throws CriError where the Engine has no such runtime. */
  check(handler: string): Promise<void>
}

/** Since Docker 23 a containerd shim can be named without being configured. */
const withUnconfigured = '1.42'

export function createRuntimes(engine: Engine): Runtimes {
  let known: string[] | undefined
  const read = async (): Promise<string[]> => {
    const { Runtimes = {} } = (await engine.docker.info()) as { Runtimes?: Record<string, unknown> | null }
    return (known = Object.keys(Runtimes ?? {}).toSorted())
  }
  return {
    names: async () => ['', ...(known ?? (await read()))],
    async check(handler) {
      if (handler === '' || known?.includes(handler)) return
      // The Engine reads its configuration again at SIGHUP.
      const names = await read()
      if (names.includes(handler) || (handler.startsWith('io.containerd.') && engine.speaks(withUnconfigured))) return
      throw new CriError('InvalidArgument', `runtime_handler: Docker has no runtime ${JSON.stringify(handler)} (it has ${names.join(', ')})`)
    },
  }
}
