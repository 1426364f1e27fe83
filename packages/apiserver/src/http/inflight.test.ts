import { describe, expect, it } from 'vitest'
import { InflightLimit } from './inflight.ts'
import { parseRequestInfo } from './request-info.ts'

const bob = { name: 'bob', groups: ['system:authenticated'] }
const admin = { name: 'admin', groups: ['system:masters'] }
const of = (method: string) => parseRequestInfo(method, '/api/v1/pods', new URLSearchParams())

describe('the limit of requests in flight', () => {
  it('counts those that read and those that change apart, and gives places back', () => {
    const limit = new InflightLimit({ readOnly: 2, mutating: 1 })
    const first = limit.enter(of('GET'), bob)
    expect([limit.enter(of('GET'), bob), limit.enter(of('POST'), bob)].every((leave) => leave !== undefined)).toBe(true)
    expect([limit.enter(of('GET'), bob), limit.enter(of('DELETE'), bob)]).toEqual([undefined, undefined])
    first?.()
    expect(limit.enter(of('GET'), bob)).toBeDefined()
  })

  it('does not hold system:masters back, though it counts them', () => {
    const limit = new InflightLimit({ readOnly: 1, mutating: 1 })
    expect([limit.enter(of('GET'), admin), limit.enter(of('GET'), admin)].every((leave) => leave !== undefined)).toBe(true)
    expect(limit.enter(of('GET'), bob)).toBeUndefined()
  })

  it('of 0 is none', () => {
    const limit = new InflightLimit({ readOnly: 0, mutating: 0 })
    expect(Array.from({ length: 100 }, () => limit.enter(of('GET'), bob)).includes(undefined)).toBe(false)
  })
})
