import { describe, expect, it } from 'vitest'
import { schemaOf } from '../schema/index.ts'
import { layOver } from './lay-over.ts'

const schema = schemaOf({ group: 'apps', version: 'v1', kind: 'Deployment' })
if (!schema) throw new Error('deployments have a schema')
const live = {
  apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', labels: { a: '1' } },
  spec: { replicas: 1, selector: { matchLabels: { a: '1' } }, template: { metadata: {}, spec: { containers: [{ name: 'main', image: 'a:1', env: [{ name: 'X', value: '1' }] }], nodeSelector: { zone: 'a' } } } },
}
const lay = (configuration: object) => layOver(schema, live, configuration)

describe('a configuration laid over an object', () => {
  it('merges maps, and lists by their keys', () => {
    const containers = [{ name: 'main', env: [{ name: 'Y', value: '2' }] }, { name: 'side', image: 'b' }]
    expect(lay({ metadata: { labels: { b: '2' } }, spec: { replicas: 3, template: { spec: { containers } } } })).toMatchObject({
      metadata: { name: 'web', labels: { a: '1', b: '2' } },
      spec: { replicas: 3, template: { spec: { containers: [{ name: 'main', image: 'a:1', env: [{ name: 'X', value: '1' }, { name: 'Y', value: '2' }] }, { name: 'side', image: 'b' }] } } },
    })
  })

  it('leaves what it was laid over as it was', () => {
    const before = structuredClone(live)
    lay({ spec: { template: { spec: { containers: [{ name: 'main', image: 'b' }] } } } })
    expect(live).toEqual(before)
  })

  it.each<[string, object, string]>([
    ['a field that is not declared', { spec: { replica: 3 } }, 'failed to convert patch object to typed object: .spec.replica: field not declared in schema'],
    ['a value of another type', { spec: { paused: 'x' } }, 'failed to convert patch object to typed object: .spec.paused: expected boolean, got &{x}'],
    ['atomic maps and structs', { spec: { selector: { matchLabels: { a: '2' } }, template: { spec: { nodeSelector: {} } } } },
      'invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: .spec.selector, .spec.template.spec.nodeSelector'],
    ['atomic lists', { spec: { template: { spec: { containers: [{ name: 'main', command: ['a'] }] } } } },
      'invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: .spec.template.spec.containers[0].command'],
  ])('%s is refused', (_, configuration, message) => {
    expect(() => lay(configuration)).toThrow(new Error(message))
  })
})
