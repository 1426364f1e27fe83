import type { Container, LifecycleHandler } from '@berth/api/types/core/v1'
import type { CriClient } from '@berth/cri'
import { sleep, systemClock } from '@berth/kube'
import { httpTarget, probeHttp } from '../probes/http.ts'
import { resolvePort } from '../probes/run.ts'

/** Runs a postStart or preStop hook to its end. Throws where it fails. `timeoutMs` 0 means no limit but the signal. */
export async function runHook(cri: CriClient, handler: LifecycleHandler, target: { containerId: string; container: Container; podIp: string }, timeoutMs: number, signal: AbortSignal): Promise<void> {
  if (handler.exec) {
    const { exitCode, stdout, stderr } = await cri.execSync(
      { containerId: target.containerId, cmd: handler.exec.command ?? [], timeout: BigInt(Math.ceil(timeoutMs / 1000)) }, { timeoutMs: timeoutMs > 0 ? timeoutMs + 2000 : 0, signal },
    )
    if (exitCode !== 0) throw new Error(`command '${(handler.exec.command ?? []).join(' ')}' exited with ${exitCode}: ${Buffer.concat([stdout, stderr]).toString('utf8')}`)
  } else if (handler.httpGet) {
    const { url, headers } = httpTarget(handler.httpGet, target.podIp, resolvePort(handler.httpGet.port, target.container))
    headers['user-agent'] = 'kube-lifecycle/1.36'
    const outcome = await probeHttp(url, headers, timeoutMs || 60_000)
    // A hook's answer does not matter, whether the server could be reached does.
    if (outcome.result === 'failure' && !outcome.output.startsWith('HTTP probe failed')) throw new Error(outcome.output)
  } else if (handler.sleep) await sleep(systemClock, handler.sleep.seconds * 1000, signal)
  else throw new Error('lifecycle handler has neither exec, httpGet nor sleep')
}
