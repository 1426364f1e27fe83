// A scheduler as the extender sees it, on a thread of its own: it sends bodies that are ready, and measures until both answers are read.
import { Agent, request } from 'node:http'
import { parentPort } from 'node:worker_threads'

const agent = new Agent({ keepAlive: true })

function exchange(port: number, verb: string, body: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path: `/scheduler/${verb}`, method: 'POST', agent, headers: { 'content-type': 'application/json', 'content-length': body.length } }, (response) => {
      response.on('data', () => undefined)
      response.on('end', () => response.statusCode === 200 ? resolve() : reject(new Error(`${verb}: ${response.statusCode ?? 0}`)))
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

parentPort?.on('message', async ({ port, body, runs }: { port: number; body: Uint8Array; runs: number }) => {
  const times: number[] = []
  // The first two warm up.
  for (let run = -2; run < runs; run++) {
    const started = performance.now()
    await exchange(port, 'filter', body)
    await exchange(port, 'prioritize', body)
    if (run >= 0) times.push(performance.now() - started)
  }
  parentPort?.postMessage(times)
})
