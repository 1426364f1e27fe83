import { type CriClient, isCriError } from '@berth/cri'
import { goDuration } from '../pods/back-off.ts'
import { failure, type Outcome, success } from './outcome.ts'

/** Runs a command in the container; status 0 is success. */
export async function probeExec(cri: CriClient, containerId: string, command: readonly string[], timeoutMs: number): Promise<Outcome> {
  try {
    const { stdout, stderr, exitCode } = await cri.execSync({ containerId, cmd: [...command], timeout: BigInt(Math.ceil(timeoutMs / 1000)) }, { timeoutMs: timeoutMs + 5000 })
    const output = Buffer.concat([stdout, stderr]).toString('utf8')
    return exitCode === 0 ? success(output) : failure(output)
  } catch (error) {
    if (isCriError(error, 'DeadlineExceeded')) return failure(`command timed out: "${command.join(' ')}" timed out after ${goDuration(timeoutMs)}`)
    throw error
  }
}
