import http2 from 'node:http2'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { adminToken, configMap, start } from './support/harness.ts'

/** A request over HTTP/2 that is given up after `cancelMs`, or never; gives its status, or undefined where it was given up before there was one. */
function ask(session: http2.ClientHttp2Session, method: string, path: string, options: { cancelMs?: number, body?: string[] } = {}): Promise<{ status: number | undefined, error: string | undefined }> {
  return new Promise((resolve) => {
    let status: number | undefined
    let error: string | undefined
    const request = session.request({ ':method': method, ':path': path, 'content-type': 'application/merge-patch+json', authorization: `Bearer ${adminToken}` }, { endStream: options.body === undefined })
    request.on('response', (headers) => { status = headers[':status'] })
    request.on('error', (problem) => { error = problem.message })
    request.on('close', () => resolve({ status, error: request.rstCode === 0 ? error : `reset with ${request.rstCode}` }))
    request.resume()
    const send = (parts: string[]): void => {
      const [part, ...rest] = parts
      if (request.destroyed) return
      if (part === undefined) request.end()
      else request.write(part, () => setImmediate(send, rest))
    }
    if (options.body) send(options.body)
    if (options.cancelMs !== undefined) setTimeout(() => request.close(http2.constants.NGHTTP2_CANCEL), options.cancelMs)
  })
}

describe('HTTP/2', () => {
  let running: Awaited<ReturnType<typeof start>>
  let session: http2.ClientHttp2Session
  const connect = (): http2.ClientHttp2Session => http2.connect(`https://127.0.0.1:${running.server.port}`, { rejectUnauthorized: false }).on('error', () => {})
  beforeAll(async () => {
    running = await start()
    session = connect()
  })
  afterAll(async () => {
    session.destroy()
    await running.stop()
  })

  it('answers a request whole whose body nobody waits for', async () => {
    for (let i = 0; i < 50; i++) expect(await ask(session, 'PATCH', '/api/v1/namespaces/default/configmaps/x/absent', { body: ['{"a":', '1', '}'] })).toEqual({ status: 404, error: undefined })
  })

  it('outlives clients that give up at any moment', async () => {
    const paths = ['/api/v1/configmaps?watch=1', '/openapi/v2', '/api/v1/configmaps']
    let writing = true
    const writer = (async () => {
      for (let i = 0; writing; i++) await running.send('POST', '/api/v1/namespaces/default/configmaps', configMap(`c${i}`))
    })()
    // A connection that gives up too often is ended, as it should be: each round has one of its own.
    for (let round = 0; round < 60; round++) {
      const own = connect()
      await Promise.all(paths.flatMap((path, i) => [0, 1].map((more) => ask(own, 'GET', path, { cancelMs: 10 + (round + i + more) % 7 }))))
      own.destroy()
    }
    writing = false
    await writer
    expect(await ask(session, 'GET', '/readyz')).toEqual({ status: 200, error: undefined })
  })
})
