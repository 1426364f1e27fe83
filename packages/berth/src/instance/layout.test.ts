import { expect, test } from 'vitest'
import { defaultDataDir, layoutOf } from './layout.ts'

test('the default data directory gives the plain name', () => {
  const layout = layoutOf(defaultDataDir)
  expect([layout.name, layout.runDir, layout.kubeconfig]).toEqual(['berth', '/run/berth', '/var/lib/berth/kubeconfig'])
})

test('another data directory gives a name of its own, the same every time and for every spelling of the path', () => {
  const layout = layoutOf('/srv/one')
  expect(layout.name).toMatch(/^berth-[0-9a-f]{6}$/)
  expect(layoutOf('/srv/./two/../one/').name).toBe(layout.name)
  expect(layoutOf('/srv/two').name).not.toBe(layout.name)
})

test('the name leaves room for a link of it: 15 characters are all that the kernel takes', () => {
  expect(`${layoutOf('/a/very/long/path/'.repeat(20)).name}0`.length).toBeLessThanOrEqual(15)
})

test('everything that must survive a reboot is below the data directory, sockets are below /run and short enough to bind', () => {
  const layout = layoutOf('/srv/one')
  const node = layout.node('n200')
  for (const path of [layout.instanceFile, layout.logsDir, layout.server.certDir, layout.engine.dockerRoot, layout.engine.containerdRoot, node.kubeletDir, node.overlayDir, node.criDir]) expect(path).toMatch(/^\/srv\/one\//)
  for (const path of [layout.supervisorSocket, layout.engine.dockerSocket, layout.engine.containerdSocket, node.criSocket, node.overlaySocket]) {
    expect(path.startsWith(`${layout.runDir}/`)).toBe(true)
    // sockaddr_un holds 107 bytes and a zero.
    expect(path.length).toBeLessThan(108)
  }
})

test('no two nodes share a path', () => {
  const layout = layoutOf('/srv/one')
  const [one, two] = [Object.values(layout.node('n1')), Object.values(layout.node('n2'))]
  expect(one.filter((path) => two.includes(path))).toEqual([])
})
