import { type ChildProcess, spawn } from 'node:child_process'
import { createCriClient, type CriClient } from '@berth/cri'
import type { CriDockerOptions } from '../../src/index.ts'

const runner = `
import { createLogger } from '@berth/kube'
import { startCriDocker } from ${JSON.stringify(new URL('../../src/index.ts', import.meta.url).pathname)}
await startCriDocker({ ...JSON.parse(process.env.SHIM_OPTIONS), logger: createLogger({ name: 'shim' }) })
console.log('serving')
`

/** The shim as a process of its own, so that it can be killed. */
export interface ShimProcess {
  client: CriClient
  pid: number
  /** With -9; resolves when it is gone. */
  kill(): Promise<void>
}

/** Starts it; resolves when it serves. */
export async function startShimProcess(options: Omit<CriDockerOptions, 'logger' | 'metrics'>): Promise<ShimProcess> {
  const child: ChildProcess = spawn(process.execPath, ['--input-type=module', '-e', runner], {
    env: { ...process.env, SHIM_OPTIONS: JSON.stringify(options) },
    cwd: new URL('../..', import.meta.url).pathname,
    stdio: ['ignore', 'pipe', process.env['BERTH_TEST_LOG'] ? 'inherit' : 'ignore'],
  })
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  await new Promise<void>((resolve, reject) => {
    child.stdout?.once('data', () => resolve())
    void gone.then(() => reject(new Error('the shim ended')))
  })
  const client = createCriClient(options.endpoint)
  return {
    client,
    pid: child.pid ?? 0,
    async kill() {
      client.close()
      child.kill('SIGKILL')
      await gone
    },
  }
}
