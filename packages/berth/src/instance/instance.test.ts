import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { InstanceError } from '../errors.ts'
import { gatewayAddress, newInstance, nodeAddress, readInstance, requireInstance, serverAddress, writeInstance } from './instance.ts'
import { defaultDataDir, layoutOf, type Layout } from './layout.ts'

function scratch(): Layout {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'berth-instance-'))
  onTestFinished(() => fs.rmSync(directory, { recursive: true }))
  return layoutOf(directory)
}

test('the default instance has the addresses that the documentation names', () => {
  const instance = newInstance(layoutOf(defaultDataDir), { nodes: 3 })
  expect([serverAddress(instance), gatewayAddress(instance), ...instance.nodes.map((n) => nodeAddress(instance, n))]).toEqual(['172.30.0.1', '172.30.0.254', '172.30.0.11', '172.30.0.12', '172.30.0.13'])
  expect(instance.nodes).toEqual(['n1', 'n2', 'n3'])
})

test('another data directory gets an underlay beside the default one, the same every time', () => {
  const underlays = Array.from({ length: 300 }, (_, i) => newInstance(layoutOf(`/srv/${i}`), { nodes: 1 }).underlay)
  for (const underlay of underlays) {
    const third = Number(/^172\.30\.(\d+)$/.exec(underlay)?.[1])
    expect(third).toBeGreaterThanOrEqual(1)
    expect(third).toBeLessThanOrEqual(250)
  }
  expect(newInstance(layoutOf('/srv/7'), { nodes: 1 }).underlay).toBe(underlays[7])
})

test('the 200th node still has an address apart from the gateway', () => {
  const instance = newInstance(layoutOf(defaultDataDir), { nodes: 200 })
  expect(nodeAddress(instance, 'n200')).toBe('172.30.0.210')
})

test('a node that the instance does not have is an error that names those it has', () => {
  expect(() => nodeAddress(newInstance(layoutOf(defaultDataDir), { nodes: 2 }), 'n3')).toThrow('there is no node "n3" in this instance; its nodes are n1, n2')
})

test('what was written is read again', () => {
  const layout = scratch()
  const instance = newInstance(layout, { nodes: 2, dockerHost: 'unix:///run/docker.sock' })
  writeInstance(layout, instance)
  expect(readInstance(layout)).toEqual(instance)
})

test('where no instance was made there is none, and a command that needs one says how to make it', () => {
  const layout = scratch()
  expect(readInstance(layout)).toBeUndefined()
  expect(() => requireInstance(layout)).toThrow(`there is no cluster in ${layout.dataDir}; \`berth up\` makes one`)
})

test('a file that is not whole is an error that names it, not an absent instance', () => {
  const layout = scratch()
  fs.writeFileSync(layout.instanceFile, '{"underlay":')
  expect(() => readInstance(layout)).toThrow(InstanceError)
  expect(() => readInstance(layout)).toThrow(layout.instanceFile)
})
