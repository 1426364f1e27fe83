import type { Pod, Service } from '@berth/api/types/core/v1'
import { expect, test } from 'vitest'
import { TriggerTimes, withTriggerTime } from './trigger-times.ts'

const at = (second: number): string => `2026-01-01T00:00:${String(second).padStart(2, '0')}Z`
const ms = (second: number): number => Date.parse(at(second))
const service: Service = { metadata: { name: 's', creationTimestamp: at(10) }, spec: {} }
const pod = (name: string, second?: number): Pod => ({ metadata: { name }, spec: { containers: [] }, status: { conditions: second === undefined ? [] : [{ type: 'Ready', status: 'True', lastTransitionTime: at(second) }] } })

test('the earliest of what is new counts, once', () => {
  const times = new TriggerTimes()
  expect(times.next('s', service, [pod('a', 20), pod('b')])).toBe(ms(10))
  expect(times.next('s', service, [pod('a', 20), pod('b')])).toBeUndefined()
  expect(times.next('s', service, [pod('a', 32), pod('b', 31)])).toBe(ms(31))
  expect(times.next('s', service, [pod('a', 32)])).toBeUndefined()
  expect(times.next('s', service, [pod('a', 32), pod('b', 31)])).toBe(ms(31))
  times.forget('s')
  expect(times.next('s', service, [pod('a', 32)])).toBe(ms(10))
})

test.each([
  ['is set', undefined, 1.5, { 'endpoints.kubernetes.io/last-change-trigger-time': '1970-01-01T00:00:01.5Z' }],
  ['replaces the one before', { 'endpoints.kubernetes.io/last-change-trigger-time': 'old', a: 'b' }, 20, { a: 'b', 'endpoints.kubernetes.io/last-change-trigger-time': '1970-01-01T00:00:20Z' }],
  ['goes where nothing is known', { 'endpoints.kubernetes.io/last-change-trigger-time': 'old', a: 'b' }, undefined, { a: 'b' }],
  ['leaves no empty annotations', { 'endpoints.kubernetes.io/last-change-trigger-time': 'old' }, undefined, undefined],
])('the time %s', (_name, annotations, seconds, wanted) => {
  expect(withTriggerTime({ name: 's', ...(annotations && { annotations }) }, seconds === undefined ? undefined : seconds * 1000)).toEqual({ name: 's', ...(wanted && { annotations: wanted }) })
})
