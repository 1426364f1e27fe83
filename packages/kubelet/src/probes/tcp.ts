import { connect } from 'node:net'
import { failure, type Outcome, success } from './outcome.ts'

/** Success when a connection can be made within the time. */
export function probeTcp(host: string, port: number, timeoutMs: number): Promise<Outcome> {
  return new Promise((resolve) => {
    const target = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
    const socket = connect({ host, port })
    const end = (outcome: Outcome): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(outcome)
    }
    const timer = setTimeout(() => end(failure(`dial tcp ${target}: i/o timeout`)), timeoutMs)
    socket.on('connect', () => end(success()))
    socket.on('error', (error: NodeJS.ErrnoException) => end(failure(`dial tcp ${target}: connect: ${error.code === 'ECONNREFUSED' ? 'connection refused' : error.message}`)))
  })
}
