import { appendFile, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseCriLine } from './cri-format.ts'
import { type LogOptions, readLog } from './reader.ts'
import { readTail } from './tail.ts'

const time = (s: number): string => `2026-01-01T00:00:${String(s).padStart(2, '0')}.000000000Z`
const line = (s: number, text: string, stream = 'stdout', tag = 'F'): string => `${time(s)} ${stream} ${tag} ${text}\n`

describe('container logs', () => {
  let dir: string
  let path: string
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'logs-'))
    path = join(dir, '0.log')
    await writeFile(path, line(1, 'one') + line(2, 'part', 'stdout', 'P') + line(3, 'ial') + line(4, 'err', 'stderr') + line(5, 'last'))
  })
  afterEach(() => rm(dir, { recursive: true, force: true }))
  const read = async (options: LogOptions, running: () => Promise<boolean> = async () => false): Promise<string> => {
    const chunks: Buffer[] = []
    for await (const chunk of readLog(path, options, running, new AbortController().signal)) chunks.push(chunk)
    return Buffer.concat(chunks).toString('utf8')
  }

  it.each<[LogOptions, string]>([
    [{}, 'one\npartial\nerr\nlast\n'],
    [{ tailLines: 2 }, 'err\nlast\n'],
    [{ tailLines: 0 }, ''],
    [{ tailLines: 100 }, 'one\npartial\nerr\nlast\n'],
    [{ limitBytes: 6 }, 'one\npa'],
    [{ since: Date.parse('2026-01-01T00:00:04Z') }, 'err\nlast\n'],
    [{ timestamps: true, tailLines: 1 }, `${time(5)} last\n`],
    [{ timestamps: true }, `${time(1)} one\n${time(2)} partial\n${time(4)} err\n${time(5)} last\n`],
    [{ stream: 'Stderr' }, 'err\n'],
  ])('with %j are %j', async (options, expected) => expect(await read(options)).toBe(expected))

  it('are followed through a rotation until the container ends', async () => {
    let turns = 0
    const text = await read({ follow: true, tailLines: 1 }, async () => {
      turns++
      if (turns === 1) await appendFile(path, line(6, 'more'))
      if (turns === 2) {
        await rename(path, `${path}.old`)
        await writeFile(path, line(7, 'new file'))
      }
      return turns < 3
    })
    expect(text).toBe('last\nmore\nnew file\n')
  })

  it('are cut to their end for a last message', async () => {
    expect(await readTail(path, 2, 100)).toBe('err\nlast\n')
    expect(await readTail(path, 80, 4)).toBe('ast\n')
  })

  it.each(['', 'no format', '2026 stdx F a'])('%j is no line of a log', (text) => expect(() => parseCriLine(Buffer.from(text))).toThrow())
})
