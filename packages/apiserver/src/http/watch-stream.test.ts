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

  it('draws what is there at the beginning as it is read, before what is pushed', async () => {
    let drawn = 0
    function* initial(): Generator<Uint8Array> {
      for (; drawn < 100; drawn++) yield frame(10 * 1024)
    }
    const stream = new WatchStream(() => {}, initial())
    stream.push(frame(1))
    const iterator = stream[Symbol.asyncIterator]()
    expect((await iterator.next()).value?.length).toBe(20 * 1024)
    expect(drawn).toBeLessThan(4)
    stream.end()
    let size = 20 * 1024
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) size += next.value.length
    expect(size).toBe(100 * 10 * 1024 + 1)
  })

  it('says when it cuts a client off, by bytes or by number', () => {
    let cuts = 0
    const stuck = (): WatchStream => {
      const stream = new WatchStream(() => {})
      stream.whenCut(() => { cuts++ })
      return stream
    }
    const many = stuck()
    const one = frame(1)
    for (let i = 0; i <= 10_001; i++) many.push(one)
    const large = stuck()
    large.push(frame(33 * 1024 * 1024))
    expect([many.ended, large.ended, cuts]).toEqual([true, true, 2])
  })

  it('bounds what is made for single watchers in all of them together', () => {
    const shared = frame(16 * 1024 * 1024)
    const streams = Array.from({ length: 17 }, () => new WatchStream(() => {}))
    for (const stream of streams) stream.push(shared, true)
    expect(streams.map((stream) => stream.ended).indexOf(true)).toBe(16)
    for (const stream of streams) stream.abandon()
    const next = new WatchStream(() => {})
    next.push(shared, true)
    expect(next.ended).toBe(false)
    next.abandon()
  })

  it('tells its source when the client goes away', async () => {
    let ended = 0
    const stream = new WatchStream(() => { ended++ })
    stream.push(frame(1))
    for await (const _ of stream) break
    expect(ended).toBe(1)
  })
})
