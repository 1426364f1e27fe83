import { connect } from 'node:http2'
import { failure, type Outcome, success } from './outcome.ts'

const serving = 1
const statusNames: Record<number, string> = { 0: 'UNKNOWN', 1: 'SERVING', 2: 'NOT_SERVING', 3: 'SERVICE_UNKNOWN' }

/** grpc.health.v1.Health/Check, written by hand: one string in, one enumeration out. */
export function probeGrpc(host: string, port: number, service: string, timeoutMs: number): Promise<Outcome> {
  const target = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
  return new Promise((resolve) => {
    const session = connect(`http://${target}`)
    const end = (outcome: Outcome): void => {
      clearTimeout(timer)
      session.destroy()
      resolve(outcome)
    }
    const timer = setTimeout(() => end(failure(`timeout: failed to connect service "${target}" within ${timeoutMs / 1000}s: context deadline exceeded`)), timeoutMs)
    session.on('error', (error: Error) => end(failure(`error: this server does not implement the grpc health protocol (grpc.health.v1.Health) or cannot be reached: ${error.message}`)))
    const stream = session.request({ ':method': 'POST', ':path': '/grpc.health.v1.Health/Check', 'content-type': 'application/grpc', te: 'trailers', 'user-agent': 'kube-probe/1.36' })
    const chunks: Buffer[] = []
    let grpcStatus = ''
    stream.on('response', (headers) => (grpcStatus = String(headers['grpc-status'] ?? '')))
    stream.on('trailers', (trailers) => (grpcStatus = String(trailers['grpc-status'] ?? '')))
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('error', () => {})
    stream.on('end', () => {
      if (grpcStatus !== '0' && grpcStatus !== '') return end(failure(`error: health rpc failed with code ${grpcStatus}`))
      const body = Buffer.concat(chunks).subarray(5)
      const status = body[0] === 0x08 ? (body[1] ?? 0) : 0
      end(status === serving ? success(`service healthy (responded with "SERVING")`) : failure(`service unhealthy (responded with "${statusNames[status] ?? status}")`))
    })
    const name = Buffer.from(service, 'utf8')
    const message = name.length === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x0a, name.length]), name])
    const frame = Buffer.alloc(5)
    frame.writeUInt32BE(message.length, 1)
    stream.end(Buffer.concat([frame, message]))
  })
}
