import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createCriClient, type CriClient, CriError, type CriImplementation, type CriServer, isCriError, serveCri } from '../src/index.ts'

const directory = mkdtempSync(join(tmpdir(), 'berth-cri-'))
const endpoint = `unix://${directory}/cri.sock`

let server: CriServer | undefined
let client: CriClient

async function serve(implementation: CriImplementation): Promise<void> {
  server = await serveCri(implementation, endpoint)
}

beforeEach(() => {
  client = createCriClient(endpoint)
})

afterEach(async () => {
  client.close()
  await server?.close(100)
  server = undefined
})

afterAll(() => rmSync(directory, { recursive: true }))

describe('a CRI server and its client', () => {
  test('pass a request and its answer with 64-bit numbers, maps and enumerations intact', async () => {
    await serve({
      listPodSandbox: async ({ filter }) => ({
        items: [{ id: filter?.id ?? '', createdAt: 1763731638123456789n, state: 'SANDBOX_NOTREADY', labels: filter?.labelSelector ?? {} }],
      }),
    })
    const answer = await client.listPodSandbox({ filter: { id: 'abc', labelSelector: { app: 'web' } } })
    expect(answer.items).toEqual([
      { id: 'abc', state: 'SANDBOX_NOTREADY', createdAt: 1763731638123456789n, labels: { app: 'web' }, annotations: {}, runtimeHandler: '' },
    ])
  })

  test('pass the code and the message of an error', async () => {
    await serve({
      stopContainer: () => Promise.reject(new CriError('NotFound', 'no container "x"')),
      startContainer: () => Promise.reject(new Error('unexpected')),
    })
    await expect(client.stopContainer({})).rejects.toMatchObject({ name: 'CriError', code: 'NotFound', message: 'no container "x"' })
    await expect(client.startContainer({})).rejects.toMatchObject({ code: 'Unknown', message: 'unexpected' })
  })

  test('name an RPC that is not implemented, unary or streaming', async () => {
    await serve({})
    await expect(client.checkpointContainer({})).rejects.toMatchObject({ code: 'Unimplemented', message: 'CheckpointContainer is not implemented' })
    await expect(client.getContainerEvents({})[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'Unimplemented', message: 'GetContainerEvents is not implemented' })
  })

  test('end a call at its deadline and tell the server', async () => {
    let aborted: Promise<void> | undefined
    await serve({
      execSync: async (_request, { signal }) => {
        aborted = new Promise((resolve) => signal.addEventListener('abort', () => resolve()))
        await aborted
        return {}
      },
    })
    await expect(client.execSync({}, { timeoutMs: 100 })).rejects.toMatchObject({ code: 'DeadlineExceeded' })
    await aborted
  })

  test('cancel a call by its signal', async () => {
    const called = Promise.withResolvers<void>()
    await serve({
      execSync: (_request, { signal }) => {
        called.resolve()
        return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new CriError('Canceled', 'gone'))))
      },
    })
    const controller = new AbortController()
    const call = client.execSync({}, { signal: controller.signal })
    await called.promise
    controller.abort()
    await expect(call).rejects.toMatchObject({ code: 'Canceled' })
  })

  test('stream events until the reader stops, and then end the server side', async () => {
    const ended = Promise.withResolvers<void>()
    await serve({
      async *getContainerEvents() {
        try {
          for (let index = 0; ; index++) yield { containerId: `c${index}`, containerEventType: 'CONTAINER_STARTED_EVENT', createdAt: BigInt(index) }
        } finally {
          ended.resolve()
        }
      },
    })
    const seen: string[] = []
    for await (const event of client.getContainerEvents({})) {
      seen.push(event.containerId)
      if (seen.length === 500) break
    }
    expect(seen.at(-1)).toBe('c499')
    await ended.promise
  })

  test('end a stream with the error that the implementation threw', async () => {
    await serve({
      async *getContainerEvents() {
        yield { containerId: 'one' }
        throw new CriError('ResourceExhausted', 'too slow')
      },
    })
    const read = async (): Promise<void> => {
      for await (const event of client.getContainerEvents({})) expect(event.containerId).toBe('one')
    }
    await expect(read()).rejects.toMatchObject({ code: 'ResourceExhausted', message: 'too slow' })
  })

  test('refuse an answer that does not fit its message, and go on serving', async () => {
    await serve({ version: async () => ({ version: 1 as unknown as string }), status: async () => ({ status: {} }) })
    await expect(client.version({})).rejects.toMatchObject({ code: 'Internal' })
    expect(await client.status({})).toEqual({ status: { conditions: [] }, info: {}, runtimeHandlers: [] })
  })
})

describe('the socket of a CRI server', () => {
  test('can be opened by its owner alone', async () => {
    await serve({})
    expect(statSync(join(directory, 'cri.sock')).mode & 0o777).toBe(0o600)
  })

  test('replaces one that a dead process left behind', async () => {
    const path = join(directory, 'cri.sock')
    const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`
    expect(spawnSync(process.execPath, ['-e', script]).signal).toBe('SIGKILL')
    expect(statSync(path).isSocket()).toBe(true)
    await serve({ version: async () => ({ version: 'alive' }) })
    expect((await client.version({})).version).toBe('alive')
  })

  test('is not taken from a process that answers', async () => {
    const other = createServer()
    const path = join(directory, 'taken.sock')
    await new Promise<void>((resolve) => other.listen(path, resolve))
    await expect(serveCri({}, path)).rejects.toThrow(`${path} is served by another process`)
    await new Promise((resolve) => other.close(resolve))
  })

  test('must be a unix socket', async () => {
    await expect(serveCri({}, 'tcp://127.0.0.1:1')).rejects.toThrow('"tcp://127.0.0.1:1" is not the endpoint of a unix socket')
  })

  test('that nobody serves gives Unavailable', async () => {
    const lonely = createCriClient(`unix://${directory}/nobody.sock`)
    const error = await lonely.version({}).catch((reason: unknown) => reason)
    expect(isCriError(error, 'Unavailable')).toBe(true)
    lonely.close()
  })

  test('is found again by a client when the server comes back', async () => {
    await serve({ version: async () => ({ version: '1' }) })
    expect((await client.version({})).version).toBe('1')
    await server?.close(0)
    await serve({ version: async () => ({ version: '2' }) })
    const again = async (): Promise<string> => {
      for (;;) {
        try {
          return (await client.version({})).version
        } catch (error) {
          if (!isCriError(error, 'Unavailable')) throw error
          await new Promise((resolve) => setTimeout(resolve, 20))
        }
      }
    }
    expect(await again()).toBe('2')
  })
})
