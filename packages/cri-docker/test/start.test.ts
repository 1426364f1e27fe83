import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { silentLogger } from '@berth/kube'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startCriDocker } from '../src/index.ts'
import { shimMissing, startShim, type TestShim } from './support/shim.ts'

const missing = shimMissing()

describe.skipIf(missing !== '')(`starting the shim${missing && ` (skipped: ${missing})`}`, () => {
  let shim: TestShim
  beforeAll(async () => {
    shim = await startShim()
  })
  afterAll(() => shim.stop())

  const start = (changed: object): Promise<unknown> => startCriDocker({ ...shim.options, endpoint: `unix://${shim.engine.directory}/other.sock`, ...changed })

  test('fails with the reason where it cannot work, and leaves the one that runs alone', async () => {
    await expect(start({ dockerHost: 'tcp://10.0.0.1:2375' })).rejects.toThrow('only unix sockets of this machine are served')
    await expect(start({ dockerHost: `unix://${shim.engine.directory}/nobody.sock` })).rejects.toThrow(/ENOENT/)
    await expect(start({ endpoint: shim.options.endpoint })).rejects.toThrow('is served by another process')
    await expect(start({ streamingAddress: 'nonsense' })).rejects.toThrow('streaming address "nonsense" is not HOST:PORT')
    expect((await shim.client.version({})).runtimeName).toBe('docker')
    expect(existsSync(join(shim.engine.directory, 'other.sock'))).toBe(false)
  })

  test('works without a pod network, and says in its status what is missing', async () => {
    await shim.restartShim({ cniConfDir: join(shim.engine.directory, 'empty'), logger: silentLogger() })
    const { status } = await shim.client.status({})
    expect(status?.conditions.find(({ type }) => type === 'NetworkReady')).toMatchObject({
      status: false,
      reason: 'NetworkPluginNotReady',
      message: `Network plugin returns error: no networks found in ${shim.engine.directory}/empty`,
    })
    const config = { metadata: { name: 'a', namespace: 'b', uid: 'c' } }
    await expect(shim.client.runPodSandbox({ config })).rejects.toMatchObject({ code: 'Unavailable', message: expect.stringContaining('no networks found') })
    const host = { ...config, linux: { securityContext: { namespaceOptions: { network: 'NODE' as const } } } }
    expect((await shim.client.runPodSandbox({ config: host })).podSandboxId).toMatch(/^[0-9a-f]{64}$/)
  })
})
