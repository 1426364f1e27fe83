import { describe, expect, test } from 'vitest'
import { parseCniConfig } from './config.ts'
import { pluginInput } from './network.ts'
import { containerAddresses } from './result.ts'

const list = (fields: object): string => JSON.stringify({ cniVersion: '1.0.0', name: 'pods', plugins: [{ type: 'bridge' }], ...fields })

describe('a CNI configuration', () => {
  test('is read with its plugins and their own fields', () => {
    const text = list({ plugins: [{ type: 'bridge', bridge: 'cni0' }, { type: 'portmap', capabilities: { portMappings: true } }] })
    expect(parseCniConfig(text)).toEqual({
      cniVersion: '1.0.0',
      name: 'pods',
      disableCheck: false,
      disableGc: false,
      plugins: [{ type: 'bridge', bridge: 'cni0' }, { type: 'portmap', capabilities: { portMappings: true } }],
      source: text,
    })
  })

  test('with a single plugin becomes a list of one', () => {
    const network = parseCniConfig('{"cniVersion":"0.3.1","name":"lo","type":"loopback"}')
    expect(network.plugins).toEqual([{ cniVersion: '0.3.1', name: 'lo', type: 'loopback' }])
  })

  test('is spoken in the highest version that both sides have', () => {
    expect(parseCniConfig(list({ cniVersion: '0.4.0', cniVersions: ['1.0.0', '1.1.0', '9.0.0'] })).cniVersion).toBe('1.1.0')
  })

  test.each([
    ['{', 'CNI configuration is not JSON'],
    ['[]', 'CNI configuration is not a JSON object'],
    [list({ name: '' }), 'name: is required'],
    [list({ name: '../x' }), 'name: "../x" must consist of letters'],
    [list({ cniVersion: undefined }), 'cniVersion: is required'],
    [list({ cniVersion: '0.2.0' }), 'cniVersion: "0.2.0" is not supported'],
    [list({ cniVersions: '1.0.0' }), 'cniVersions: must be a list'],
    [list({ plugins: [] }), 'plugins: must have at least one plugin'],
    [list({ plugins: {} }), 'plugins: must be a list'],
    [list({ plugins: ['bridge'] }), 'plugins[0]: must be an object'],
    [list({ plugins: [{ type: 'a' }, {}] }), 'plugins[1].type: is required'],
    [list({ plugins: [{ type: '../../bin/sh' }] }), 'plugins[0].type: "../../bin/sh" must be a program\'s name'],
    [list({ plugins: [{ type: 'a', capabilities: { dns: 'yes' } }] }), 'plugins[0].capabilities: must be an object of booleans'],
    [list({ disableCheck: 'maybe' }), 'disableCheck: must be true or false'],
  ])('%s is refused', (text, message) => {
    expect(() => parseCniConfig(text)).toThrow(message)
  })
})

describe("a plugin's input", () => {
  const network = parseCniConfig(list({ plugins: [{ type: 'portmap', capabilities: { portMappings: true, dns: false, bandwidth: true } }] }))
  const plugin = network.plugins[0] ?? { type: '' }

  test('has the capability arguments that the plugin declared and the runtime gave', () => {
    const input = pluginInput(network, plugin, { portMappings: [{ hostPort: 80 }], dns: { servers: [] }, other: 1 }, undefined)
    expect(input).toMatchObject({ name: 'pods', cniVersion: '1.0.0', type: 'portmap', runtimeConfig: { portMappings: [{ hostPort: 80 }] } })
    expect(input).not.toHaveProperty('prevResult')
  })

  test('has the result of the plugin before it', () => {
    const prevResult = { cniVersion: '1.0.0', ips: [{ address: '10.0.0.2/24' }] }
    expect(pluginInput(network, plugin, undefined, prevResult)).toMatchObject({ prevResult })
    expect(pluginInput(network, plugin, undefined, prevResult)).not.toHaveProperty('runtimeConfig')
  })
})

test('the addresses of a container are those on interfaces inside it', () => {
  const result = {
    cniVersion: '1.0.0',
    interfaces: [{ name: 'cni0' }, { name: 'eth0', sandbox: '/proc/1/ns/net' }],
    ips: [
      { address: '10.0.0.1/24', interface: 0 },
      { address: '10.0.0.2/24', interface: 1 },
      { address: 'fd00::2/64', interface: 1 },
    ],
  }
  expect(containerAddresses(result)).toEqual(['10.0.0.2', 'fd00::2'])
})
