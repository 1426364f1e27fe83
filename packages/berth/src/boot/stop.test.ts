import { createLogger, type Logger } from '@berth/kube'
import { expect, test } from 'vitest'
import { stopInTurn } from './stop.ts'

function recording(): { logger: Logger; lines: string[] } {
  const lines: string[] = []
  return { lines, logger: createLogger({ name: '', verbosity: 1, write: (line) => { lines.push(line.slice(line.indexOf(']') + 2).replace(/ ms=\d+/, '').trim()) } }) }
}

test('each is stopped only when the one before it has stopped', async () => {
  const { logger, lines } = recording()
  const order: string[] = []
  const slow = (name: string) => ({ name, stop: async () => {
    order.push(`${name} begins`)
    await new Promise((resolve) => { setTimeout(resolve, 5) })
    order.push(`${name} ends`)
  } })
  await stopInTurn([slow('dns'), slow('kubelet')], logger)
  expect(order).toEqual(['dns begins', 'dns ends', 'kubelet begins', 'kubelet ends'])
  expect(lines).toEqual(['"Stopped" part="dns"', '"Stopped" part="kubelet"'])
})

test('one that hangs and one that fails are named in the log, and the rest is stopped all the same', async () => {
  const { logger, lines } = recording()
  const stopped: string[] = []
  await stopInTurn([
    { name: 'kubelet', stop: () => new Promise(() => undefined) },
    { name: 'cri-docker', stop: async () => { throw new Error('the socket is gone') } },
    { name: 'overlay', stop: async () => { stopped.push('overlay') } },
  ], logger, 20)
  expect(lines).toEqual([
    '"Cannot stop in order" err="it is not done after 20 ms" part="kubelet"',
    '"Cannot stop in order" err="the socket is gone" part="cri-docker"',
    '"Stopped" part="overlay"',
  ])
  expect(stopped).toEqual(['overlay'])
})
