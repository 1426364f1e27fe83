import { expect, test } from 'vitest'
import { UnavailableError } from '../errors.ts'
import { Gate } from './gate.ts'

test('lets in what fits, queues some in their order, and refuses the rest', async () => {
  const gate = new Gate(1, 2)
  const order: string[] = []
  await gate.enter(1000)
  const second = gate.enter(1000).then(() => order.push('second'))
  const third = gate.enter(1000).then(() => order.push('third'))
  expect(gate.load).toEqual({ inFlight: 1, queued: 2 })
  await expect(gate.enter(1000)).rejects.toMatchObject({ reason: 'overload' })
  gate.leave()
  await second
  gate.leave()
  await third
  gate.leave()
  expect([order, gate.load]).toEqual([['second', 'third'], { inFlight: 0, queued: 0 }])
})

test('who waits longer than its time is refused, and takes nobody\'s turn', async () => {
  const gate = new Gate(1, 2)
  await gate.enter(1000)
  await expect(gate.enter(1)).rejects.toBeInstanceOf(UnavailableError)
  gate.leave()
  await gate.enter(1)
  expect(gate.load).toEqual({ inFlight: 1, queued: 0 })
})
