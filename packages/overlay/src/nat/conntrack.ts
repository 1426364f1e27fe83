import { spawn } from 'node:child_process'
import { OverlayError } from '../errors.ts'

/**
 * Removes what the kernel tracks of UDP to these host ports: a client that keeps its port would be led to the pod that had it before, for as long as it talks. Fine
 * where nothing is tracked. Throws OverlayError where the conntrack tool is missing or fails.
 */
export async function removeUdpFlows(ports: readonly number[]): Promise<void> {
  for (const port of new Set(ports)) await conntrack(['-D', '-p', 'udp', '--orig-port-dst', String(port)])
}

function conntrack(args: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('conntrack', args, { stdio: ['ignore', 'ignore', 'pipe'] })
    let stderr = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    child.on('error', (error) => reject(new OverlayError('Kernel', `conntrack: ${error.message}`, { cause: error })))
    child.on('close', (code) => {
      if (code === 0 || /0 flow entries have been deleted/.test(stderr)) resolve()
      else reject(new OverlayError('Kernel', `conntrack ended with ${code}: ${stderr.trim()}`))
    })
  })
}
