import { spawn } from 'node:child_process'
import { ProxyError } from '../errors.ts'
import { type Actual, parseListing } from '../ruleset/actual.ts'
import { tableName } from '../ruleset/table.ts'

/** Executes nft commands in one transaction: all of them or none. Throws ProxyError with nft's words. */
export async function applyCommands(commands: readonly string[]): Promise<void> {
  const { code, stderr } = await nft(['-f', '-'], `${commands.join('\n')}\n`)
  if (code !== 0) throw new ProxyError('Kernel', `nft ended with ${code}: ${stderr.slice(0, 2000)}`)
}

/** Reads our table as it is; undefined if there is none. Throws ProxyError. */
export async function readTable(): Promise<Actual | undefined> {
  const { code, stdout, stderr } = await nft(['list', 'table', 'ip', tableName])
  if (code === 0) return parseListing(stdout)
  if (/No such file or directory/.test(stderr)) return undefined
  throw new ProxyError('Kernel', `nft list ended with ${code}: ${stderr.slice(0, 2000)}`)
}

/** Removes the table; fine if there is none. */
export async function removeTable(): Promise<void> {
  await applyCommands([`add table ip ${tableName}`, `delete table ip ${tableName}`])
}

function nft(args: string[], input = ''): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn('nft', args, { stdio: ['pipe', 'pipe', 'pipe'] })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    child.on('error', (error) => reject(new ProxyError('Kernel', `nft: ${error.message}`, { cause: error })))
    child.on('close', (code) => resolve({ code, stdout, stderr: stderr.trim() }))
    child.stdin.on('error', () => {}) // the exit code tells
    child.stdin.end(input)
  })
}
