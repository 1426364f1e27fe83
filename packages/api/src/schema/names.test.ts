import { expect, it } from 'vitest'
import { schemaOf } from './registry.ts'

it.each(['constructor', '__proto__', 'toString', 'hasOwnProperty', 'Pods'])('there is no kind %s', (kind) => {
  expect(schemaOf({ group: '', version: 'v1', kind })).toBeUndefined()
})

it('the schema of a kind is the same each time', () => {
  expect(schemaOf({ group: '', version: 'v1', kind: 'Pod' })).toBe(schemaOf({ group: '', version: 'v1', kind: 'Pod' }))
})
