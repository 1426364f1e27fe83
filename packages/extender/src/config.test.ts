import { expect, test } from 'vitest'
import { Cache } from '@berth/scheduler/parts'
import { extenderConfigOf, profileOf } from './config.ts'

const loopback = { serving: { address: '127.0.0.1' } }
type File = Parameters<typeof extenderConfigOf>[0]

test.each<[string, File, string]>([
  ['no plugins', { ...loopback, plugins: [] }, 'plugins: Required value'],
  ['an unknown plugin', { ...loopback, plugins: [{ name: 'Nope' }] }, 'plugins[0].name: Unsupported value: "Nope": there is no such plugin; supported values: "NodeUnschedulable"'],
  ['a plugin that binds', { ...loopback, plugins: [{ name: 'DefaultBinder' }] }, 'it takes part in reserving or binding, which a scheduler alone can do'],
  ['a plugin that says nothing of nodes', { ...loopback, plugins: [{ name: 'PrioritySort' }] }, 'it neither filters nor scores nodes'],
  ['a plugin twice', { ...loopback, plugins: [{ name: 'SwarmSpread' }, { name: 'SwarmSpread' }] }, 'plugins[1].name: Duplicate value: "SwarmSpread"'],
  ['args of a plugin that is not chosen', { ...loopback, plugins: [{ name: 'SwarmSpread' }], pluginConfig: [{ name: 'RackPack' }] }, 'pluginConfig[0].name: Invalid value: "RackPack": the plugin is not among plugins'],
  ['wrong args', { ...loopback, plugins: [{ name: 'RackPack' }], pluginConfig: [{ name: 'RackPack', args: { mode: 'Maybe' } }] }, 'pluginConfig[0].args.mode: Unsupported value: "Maybe": supported values: "Preferred", "Required"'],
  ['unknown args', { ...loopback, plugins: [{ name: 'SwarmRandom' }], pluginConfig: [{ name: 'SwarmRandom', args: { sed: 1 } }] }, 'unknown field "pluginConfig[0].args.sed"'],
  ['no time', { ...loopback, plugins: [{ name: 'SwarmSpread' }], limits: { timeout: '0s' } }, 'limits.timeout: Invalid value: "0s": must be greater than 0'],
  ['an open door', { plugins: [{ name: 'SwarmSpread' }] }, 'authentication: Required value: 0.0.0.0 can be reached from elsewhere'],
  ['tokens in the clear', { plugins: [{ name: 'SwarmSpread' }], authentication: { tokenReview: true } }, 'serving.tls: Required value: tokens are not taken over plain HTTP'],
  ['users whom nobody asks for their name', { plugins: [{ name: 'SwarmSpread' }], authentication: { anonymous: true }, authorization: { users: ['a'] } }, 'authorization: users and groups name nobody'],
])('%s is refused with its path', (_, file, message) => {
  expect(() => extenderConfigOf(file)).toThrow(message)
})

test('the plugins run in the registry\'s order, with their weights', () => {
  const config = extenderConfigOf({ ...loopback, plugins: [{ name: 'SwarmSpread', weight: 3 }, { name: 'NodeAffinity' }] })
  const profile = profileOf(config, () => new Cache())
  expect([profile.plugins.map(({ name }) => name).slice(0, 2), profile.weights.get('SwarmSpread'), profile.weights.get('NodeAffinity')]).toEqual([['NodeAffinity', 'SwarmSpread'], 3, 1])
})
