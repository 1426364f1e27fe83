import { join } from 'node:path'
import { readSchedulerConfig } from '@berth/scheduler'
import { expect, test } from 'vitest'
import { readExtenderConfig } from './config.ts'

const examples = join(import.meta.dirname, '../../../examples/extender')

test.each([['extender.yaml', ['NetworkBandwidth', 'RackSpread']], ['on-loopback.yaml', ['SwarmSpread']]])('%s is a configuration', async (file, plugins) => {
  expect((await readExtenderConfig(join(examples, file))).plugins.map(({ name }) => name)).toEqual(plugins)
})

test.each(['kubeadm.yaml', 'kind.yaml', 'k3s.yaml'])('%s asks the extender for all four verbs over TLS', async (file) => {
  const { extenders: [extender] } = await readSchedulerConfig(join(examples, file))
  expect(extender).toMatchObject({ filterVerb: 'filter', prioritizeVerb: 'prioritize', preemptVerb: 'preempt', bindVerb: 'bind', nodeCacheCapable: true, enableHTTPS: true, ignorable: false })
  expect(extender?.urlPrefix).toMatch(/^https:.*:10270\/scheduler$/)
})
