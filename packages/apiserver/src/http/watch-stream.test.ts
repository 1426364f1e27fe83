import { describe, expect, it } from 'vitest'
import { WatchStream } from './watch-stream.ts'

const frame = (size: number): Uint8Array => new Uint8Array(size)

describe('the stream of a watch', () => {
  it('gives what is pushed, together where the client lagged, and ends', async () => {
    let ended = 0
    const stream = new WatchStream(() => { ended++ })
    stream.push(frame(1))
    stream.push(frame(2))
    const iterator = stream[Symbol.asyncIterator]()
    expect((await iterator.next()).value?.length).toBe(3)
    const next = iterator.next()
    stream.push(frame(5))
    expect((await next).value?.length).toBe(5)
    stream.end()
    stream.end()
    expect((await iterator.next()).done).toBe(true)
    expect(ended).toBe(1)
  })

  it('cuts off a client that does not take what it is sent', async () => {
    let ended = 0
    const stream = new WatchStream(() => { ended++ })
    for (let i = 0; i < 33; i++) stream.push(frame(1024 * 1024))
    expect([ended, stream.ended]).toEqual([1, true])
    expect((await stream[Symbol.asyncIterator]().next()).done).toBe(true)
  })

  it('tells its source when the client goes away', async () => {
    let ended = 0
    const stream = new WatchStream(() => { ended++ })
    stream.push(frame(1))
    for await (const _ of stream) break
    expect(ended).toBe(1)
  })
})
