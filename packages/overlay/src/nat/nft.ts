import { spawn } from 'node:child_process'
import { OverlayError } from '../errors.ts'

/** Runs an nft program in this process's network namespace. Throws OverlayError with nft's words. */
export function runNft(program: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('nft', ['-f', '-'], { stdio: ['pipe', 'ignore', 'pipe'] })
    let stderr = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    child.on('error', (error) => reject(new OverlayError('Kernel', `nft: ${error.message}`, { cause: error })))
    child.on('close', (code) => (code === 0 ? resolve() : reject(new OverlayError('Kernel', `nft ended with ${code}: ${stderr.trim()}`))))
    child.stdin.on('error', () => {}) // the exit code tells
    child.stdin.end(program)
  })
}
