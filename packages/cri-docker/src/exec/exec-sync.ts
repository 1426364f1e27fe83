import { Writable } from 'node:stream'
import { CriError, type ExecSyncRequest, type ExecSyncResponse } from '@berth/cri'
import { attempt } from '../errors.ts'
import type { Shim } from '../shim.ts'
import { whenEnded } from './container-end.ts'
import { startExec } from './engine-exec.ts'

/** As much of both outputs together as fits into one answer, whose bound with all clients is 16 MiB; what is beyond is let go. */
const maxOutputBytes = 16 * 1024 * 1024 - 4096

/** ExecSync: runs a command to its end. After `timeout` seconds (0: never) it and all it has started are killed, and the answer is DeadlineExceeded. */
export async function execSync(shim: Shim, { containerId, cmd, timeout }: ExecSyncRequest, signal: AbortSignal): Promise<ExecSyncResponse> {
  if (cmd.length === 0) throw new CriError('InvalidArgument', 'cmd: is required')
  const record = await shim.store.mustContainer(containerId)
  if (record.state !== 'running') throw new CriError('FailedPrecondition', `container ${record.id} is not running`)
  const room = { left: maxOutputBytes }
  const stdout = new Collector(room)
  const stderr = new Collector(room)
  const exec = await attempt(`failed to exec in container ${record.id}`, () => startExec(shim.engine, record.id, cmd, { stdout, stderr, tty: false }))
  const forget = whenEnded(shim, record.id, exec.endWhenQuiet)
  const exitCode = exec.exitCode.catch(() => undefined).finally(forget)
  const ended = await raceTimeout(exitCode, Number(timeout) * 1000, signal)
  if (ended === 'timeout' || ended === 'aborted') {
    await exec.kill()
    const command = cmd.join(' ')
    if (ended === 'timeout') throw new CriError('DeadlineExceeded', `command ${JSON.stringify(command)} timed out after ${timeout}s`)
    throw new CriError('Canceled', `command ${JSON.stringify(command)} was killed: its caller has gone`)
  }
  if (ended === undefined) throw new CriError('Unknown', `failed to exec in container ${record.id}: the Engine lost the command`)
  return { stdout: stdout.bytes(), stderr: stderr.bytes(), exitCode: ended }
}

/** What came first: the value, the time, or the caller's going away. */
function raceTimeout<T>(value: Promise<T>, timeoutMs: number, signal: AbortSignal): Promise<T | 'timeout' | 'aborted'> {
  return new Promise((resolve) => {
    const timer = timeoutMs > 0 ? setTimeout(() => finish('timeout'), timeoutMs) : undefined
    const aborted = (): void => finish('aborted')
    const finish = (result: T | 'timeout' | 'aborted'): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', aborted)
      resolve(result)
    }
    // It may have gone while the command was being started.
    if (signal.aborted) return finish('aborted')
    signal.addEventListener('abort', aborted)
    void value.then(finish)
  })
}

class Collector extends Writable {
  private readonly chunks: Buffer[] = []
  private readonly room: { left: number }

  constructor(room: { left: number }) {
    super()
    this.room = room
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    const taken = chunk.subarray(0, this.room.left)
    if (taken.length > 0) this.chunks.push(taken)
    this.room.left -= taken.length
    callback()
  }

  bytes(): Uint8Array {
    return Buffer.concat(this.chunks)
  }
}
