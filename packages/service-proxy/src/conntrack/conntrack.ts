import { spawn } from 'node:child_process'
import { ProxyError } from '../errors.ts'
import { deleteArguments, type Flow, parseFlows } from './stale.ts'

/** The UDP flows the kernel tracks in this network namespace. Throws ProxyError where the conntrack tool is missing or fails. */
export async function listUdpFlows(): Promise<Flow[]> {
  return parseFlows(await conntrack(['-L', '-p', 'udp', '-f', 'ipv4']))
}

/** Removes all flows like this one; fine if there are none any more. */
export async function deleteFlows(flow: Flow): Promise<void> {
  await conntrack(deleteArguments(flow))
}

function conntrack(args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('conntrack', args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    child.on('error', (error) => reject(new ProxyError('Kernel', `conntrack: ${error.message}`, { cause: error })))
    child.on('close', (code) => {
      if (code === 0 || /0 flow entries have been (deleted|shown)/.test(stderr)) resolve(stdout)
      else reject(new ProxyError('Kernel', `conntrack ended with ${code}: ${stderr.trim()}`))
    })
  })
}
