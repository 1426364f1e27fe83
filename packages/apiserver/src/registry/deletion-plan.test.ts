import { describe, expect, it } from 'vitest'
import { core } from '@berth/api'
import type { ApiObject } from '../interfaces.ts'
import type { ResourceDefinition } from './definition.ts'
import { settleDeletion } from './deletion-plan.ts'
import type { DeleteOptions } from './deletion-plan.ts'

const now = Date.parse('2026-01-01T00:00:00Z')
const plain: ResourceDefinition = { resource: core.configmaps, storagePrefix: 'configmaps' }
const graceful: ResourceDefinition = { resource: core.pods, storagePrefix: 'pods', gracePeriod: (_, asked) => asked ?? 30 }

function settle(definition: ResourceDefinition, meta: Partial<ApiObject['metadata']>, options: DeleteOptions): unknown {
  const object: ApiObject = { metadata: { name: 'x', ...meta } }
  const verdict = settleDeletion(definition, object, options, now)
  const { deletionTimestamp, deletionGracePeriodSeconds, finalizers, generation } = object.metadata
  return { verdict, deletionTimestamp, deletionGracePeriodSeconds, finalizers, generation }
}

const at = (seconds: number): string => new Date(now + seconds * 1000).toISOString().replace('.000Z', 'Z')

describe('a deletion', () => {
  it.each<[string, ResourceDefinition, Partial<ApiObject['metadata']>, DeleteOptions, unknown]>([
    ['without finalizers takes the object at once', plain, {}, {}, { verdict: 'remove' }],
    ['with a finalizer only marks it', plain, { finalizers: ['a/b'] }, {}, { verdict: 'keep', deletionTimestamp: at(0), deletionGracePeriodSeconds: 0, finalizers: ['a/b'] }],
    ['marks it once: the time stays', plain, { finalizers: ['a/b'], deletionTimestamp: at(-9), deletionGracePeriodSeconds: 0 }, {},
      { verdict: 'keep', deletionTimestamp: at(-9), deletionGracePeriodSeconds: 0, finalizers: ['a/b'] }],
    ['in the foreground waits for the dependents', plain, {}, { propagationPolicy: 'Foreground' }, { verdict: 'keep', deletionTimestamp: at(0), deletionGracePeriodSeconds: 0, finalizers: ['foregroundDeletion'] }],
    ['that orphans waits for the orphaning', plain, {}, { propagationPolicy: 'Orphan' }, { verdict: 'keep', deletionTimestamp: at(0), deletionGracePeriodSeconds: 0, finalizers: ['orphan'] }],
    ['by the old orphanDependents does so too', plain, {}, { orphanDependents: true }, { verdict: 'keep', deletionTimestamp: at(0), deletionGracePeriodSeconds: 0, finalizers: ['orphan'] }],
    ['in the background takes a foreground finalizer away', plain, { finalizers: ['foregroundDeletion'] }, { propagationPolicy: 'Background' }, { verdict: 'remove', finalizers: ['foregroundDeletion'] }],
    ['raises a generation that there is', plain, { finalizers: ['a/b'], generation: 3 }, {}, { verdict: 'keep', deletionTimestamp: at(0), deletionGracePeriodSeconds: 0, finalizers: ['a/b'], generation: 4 }],
    ['gives grace where the kind has it', graceful, { generation: 1 }, {}, { verdict: 'keep', deletionTimestamp: at(30), deletionGracePeriodSeconds: 30, generation: 2 }],
    ['with grace 0 is at once', graceful, {}, { gracePeriodSeconds: 0 }, { verdict: 'remove', deletionTimestamp: at(0), deletionGracePeriodSeconds: 0 }],
    ['asked for again may shorten the grace', graceful, { deletionTimestamp: at(30), deletionGracePeriodSeconds: 30 }, { gracePeriodSeconds: 5 }, { verdict: 'keep', deletionTimestamp: at(5), deletionGracePeriodSeconds: 5 }],
    ['asked for again cannot lengthen it', graceful, { deletionTimestamp: at(5), deletionGracePeriodSeconds: 5 }, { gracePeriodSeconds: 60 }, { verdict: 'keep', deletionTimestamp: at(5), deletionGracePeriodSeconds: 5 }],
    ['asked for again with grace 0 is the end', graceful, { deletionTimestamp: at(30), deletionGracePeriodSeconds: 30 }, { gracePeriodSeconds: 0 }, { verdict: 'remove', deletionTimestamp: at(0), deletionGracePeriodSeconds: 0 }],
    ['with grace 0 still waits for a finalizer', graceful, { finalizers: ['a/b'] }, { gracePeriodSeconds: 0 }, { verdict: 'keep', deletionTimestamp: at(0), deletionGracePeriodSeconds: 0, finalizers: ['a/b'] }],
  ])('%s', (_, definition, meta, options, want) => {
    expect(settle(definition, meta, options)).toEqual(want)
  })
})
