// The guestbook's front-end: writes entries to the redis leader, reads them from a follower. Plain Node, no dependencies.
import http from 'node:http'
import os from 'node:os'
import { page } from './page.ts'
import { redis } from './redis.ts'

const port = Number(process.env.PORT ?? 8080)
const leader = process.env.REDIS_LEADER ?? 'redis-leader'
const follower = process.env.REDIS_FOLLOWER ?? 'redis-follower'
const redisPort = Number(process.env.REDIS_PORT ?? 6379)
const key = 'guestbook'
const limit = 64 * 1024

async function body(request: http.IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) {
    text += String(chunk)
    if (text.length > limit) throw new RangeError('the entry is too long')
  }
  return text
}

async function entries(): Promise<string[]> {
  const reply = await redis(follower, redisPort, 'LRANGE', key, '0', '49')
  return Array.isArray(reply) ? reply.map(String) : []
}

async function answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
  const path = new URL(request.url ?? '/', 'http://guestbook').pathname
  if (path === '/healthz') {
    response.end('ok\n')
  } else if (path === '/readyz') {
    await redis(follower, redisPort, 'PING')
    response.end('ok\n')
  } else if (path === '/entries' && request.method === 'POST') {
    const entry = new URLSearchParams(await body(request)).get('entry')?.trim()
    if (!entry) {
      response.writeHead(400).end('entry: must not be empty\n')
      return
    }
    await redis(leader, redisPort, 'LPUSH', key, entry)
    response.writeHead(303, { location: '/' }).end()
  } else if (path === '/entries') {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ pod: os.hostname(), entries: await entries() }))
  } else if (path === '/') {
    response.setHeader('content-type', 'text/html; charset=utf-8')
    response.end(page(await entries(), os.hostname()))
  } else {
    response.writeHead(404).end('not found\n')
  }
}

const server = http.createServer((request, response) => {
  answer(request, response).catch((error: unknown) => {
    console.error(`${request.method} ${request.url}:`, error)
    if (!response.headersSent) response.writeHead(503)
    response.end(`${error instanceof Error ? error.message : 'failed'}\n`)
  })
})
server.keepAliveTimeout = 5000
server.listen(port, () => console.log(`guestbook listens on ${port}`))

// Kubernetes takes this pod out of the Service while it sends TERM: what is under way is still answered.
process.on('SIGTERM', () => {
  console.log('TERM: no new connections after 3 s')
  setTimeout(() => {
    server.close(() => process.exit(0))
    server.closeIdleConnections()
  }, 3000)
})
