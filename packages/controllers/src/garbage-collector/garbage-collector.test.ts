import type { OwnerReference } from '@berth/api/types/meta/v1'
import { describe, expect, test } from 'vitest'
import type { ApiObject } from '../common/owners.ts'
import { decide, type OwnerState } from './decide.ts'
import { OwnerGraph } from './graph.ts'

const kind = { apiVersion: 'v1', kind: 'Thing' }
const owner = (uid: string, blocks = false): OwnerReference => ({ ...kind, name: uid, uid, ...(blocks ? { blockOwnerDeletion: true } : {}) })
const thing = (uid: string, owners: OwnerReference[] = [], more: Partial<ApiObject['metadata']> = {}): ApiObject => ({ metadata: { name: uid, namespace: 'd', uid, ownerReferences: owners, ...more } })

describe('the graph', () => {
  test('an owner that nobody has seen is looked at; seen, it is not', () => {
    const graph = new OwnerGraph()
    expect(graph.put(kind, thing('child', [owner('parent')]))).toEqual({ attemptToDelete: ['parent'], attemptToOrphan: [] })
    expect(graph.get('parent')).toMatchObject({ virtual: true, namespace: 'd' })
    expect(graph.put(kind, thing('parent'))).toEqual({ attemptToDelete: [], attemptToOrphan: [] })
    expect(graph.get('parent')).toMatchObject({ virtual: false, dependents: new Set(['child']) })
    expect(graph.put(kind, thing('other', [owner('parent')])).attemptToDelete).toEqual([])
  })

  test('when an owner goes, its dependents are looked at', () => {
    const graph = new OwnerGraph()
    graph.put(kind, thing('parent'))
    graph.put(kind, thing('a', [owner('parent')]))
    graph.put(kind, thing('b', [owner('parent')]))
    expect(graph.remove('parent').attemptToDelete).toEqual(['a', 'b'])
  })

  test('an owner deleted in the foreground has its dependents looked at, and is looked at itself as each goes or lets it go', () => {
    const graph = new OwnerGraph()
    graph.put(kind, thing('parent'))
    graph.put(kind, thing('a', [owner('parent', true)]))
    graph.put(kind, thing('b', [owner('parent', true)]))
    const leaving = thing('parent', [], { deletionTimestamp: 't', finalizers: ['foregroundDeletion'] })
    expect(graph.put(kind, leaving).attemptToDelete).toEqual(['parent', 'a', 'b'])
    expect(graph.put(kind, leaving).attemptToDelete).toEqual([])
    expect(graph.remove('a').attemptToDelete).toEqual(['parent'])
    expect(graph.put(kind, thing('b', [owner('parent')])).attemptToDelete).toContain('parent')
    expect(graph.put(kind, thing('late', [owner('parent', true)])).attemptToDelete).toEqual(['late'])
  })

  test('an owner deleted with orphaning has its dependents set free', () => {
    const graph = new OwnerGraph()
    expect(graph.put(kind, thing('parent', [], { deletionTimestamp: 't', finalizers: ['orphan'] })).attemptToOrphan).toEqual(['parent'])
  })

  test('a reference that does not fit its owner is looked at; an owner never seen is forgotten with its last dependent', () => {
    const graph = new OwnerGraph()
    graph.put(kind, thing('parent'))
    expect(graph.put(kind, thing('a', [{ ...owner('parent'), name: 'another' }])).attemptToDelete).toEqual(['a'])
    graph.put(kind, thing('b', [owner('ghost')]))
    graph.put(kind, thing('b', [owner('parent')]))
    expect(graph.get('ghost')).toBeUndefined()
    graph.remove('a')
    graph.remove('b')
    graph.remove('parent')
    expect(graph.size).toBe(0)
  })
})

describe('an object', () => {
  const cases: [string, ApiObject, Record<string, OwnerState>, boolean, boolean, object][] = [
    ['without owners stays', thing('x'), {}, false, false, { act: 'keep' }],
    ['with a solid owner stays', thing('x', [owner('a')]), { a: 'solid' }, false, false, { act: 'keep' }],
    ['with one solid owner loses the others', thing('x', [owner('a'), owner('b'), owner('c')]), { a: 'solid', b: 'dangling', c: 'waiting' }, false, false, { act: 'unlink', uids: ['b', 'c'] }],
    ['whose owners are gone goes', thing('x', [owner('a')]), { a: 'dangling' }, true, false, { act: 'delete', propagationPolicy: 'Background', unblock: false }],
    ['whose owner waits goes in the foreground if it has dependents', thing('x', [owner('a')]), { a: 'waiting' }, true, false, { act: 'delete', propagationPolicy: 'Foreground', unblock: false }],
    ['whose owner waits just goes if it has none', thing('x', [owner('a')]), { a: 'waiting' }, false, false, { act: 'delete', propagationPolicy: 'Background', unblock: false }],
    ['in a circle of waiting lets its owner go first', thing('x', [owner('a')]), { a: 'waiting' }, true, true, { act: 'delete', propagationPolicy: 'Foreground', unblock: true }],
    ['keeps to orphaning where that was asked for', thing('x', [owner('a')], { finalizers: ['orphan'] }), { a: 'dangling' }, false, false, { act: 'delete', propagationPolicy: 'Orphan', unblock: false }],
  ]
  test.each(cases)('%s', (_name, object, states, hasDependents, deleting, want) => {
    expect(decide(object, new Map(Object.entries(states)), hasDependents, deleting)).toEqual(want)
  })
})
