import { expect, test } from 'vitest'
import type { Engine } from './engine/connect.ts'
import { createRuntimes } from './runtimes.ts'

function engineWith(runtimes: Record<string, object>, api = 1.41): Engine {
  return { docker: { info: async () => ({ Runtimes: runtimes }) }, speaks: (wanted: string) => api >= Number(wanted) } as unknown as Engine
}

test('handlers are the Engine’s runtimes, and the empty one its default', async () => {
  const runtimes = createRuntimes(engineWith({ runc: {}, crun: {} }))
  expect(await runtimes.names()).toEqual(['', 'crun', 'runc'])
  await runtimes.check('')
  await runtimes.check('crun')
  await expect(runtimes.check('kata')).rejects.toMatchObject({ code: 'InvalidArgument', message: 'runtime_handler: Docker has no runtime "kata" (it has crun, runc)' })
})

test('a runtime that the Engine was given later is found', async () => {
  const configured: Record<string, object> = { runc: {} }
  const runtimes = createRuntimes(engineWith(configured))
  await runtimes.names()
  configured['kata'] = {}
  await runtimes.check('kata')
})

test('since Docker 23 a containerd shim need not be configured', async () => {
  await createRuntimes(engineWith({ runc: {} }, 1.42)).check('io.containerd.kata.v2')
  await expect(createRuntimes(engineWith({ runc: {} })).check('io.containerd.kata.v2')).rejects.toMatchObject({ code: 'InvalidArgument' })
})
