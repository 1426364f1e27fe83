import type { Deployment, ReplicaSet } from '@berth/api/types/apps/v1'
import { expect, test } from 'vitest'
import { newReplicaSetAnnotations } from './annotations.ts'
import { findNewSet, newReplicaSet, sameTemplate } from './templates.ts'

const template = (image: string, labels: Record<string, string> = { app: 'a' }): Deployment['spec']['template'] => ({ metadata: { name: '', labels }, spec: { containers: [{ name: 'c', image, env: [] }] } })
const deployment = (image: string, collisionCount?: number): Deployment => ({ metadata: { name: 'web', namespace: 'd', uid: 'u', annotations: { note: 'x', 'kubectl.kubernetes.io/last-applied-configuration': '{}' } }, spec: { replicas: 2, selector: { matchLabels: { app: 'a' } }, template: template(image) }, status: { collisionCount } })

test('templates are the same but for the hash label and empty fields', () => {
  expect(sameTemplate(template('i'), template('i', { app: 'a', 'pod-template-hash': 'x' }))).toBe(true)
  expect(sameTemplate(template('i'), { metadata: { name: '', labels: { app: 'a' }, creationTimestamp: undefined }, spec: { containers: [{ image: 'i', name: 'c' }] } })).toBe(true)
  expect(sameTemplate(template('i'), template('j'))).toBe(false)
  expect(sameTemplate(template('i'), template('i', { app: 'b' }))).toBe(false)
})

test('a new set is named, labelled and selected by the hash of its template, which is the same every time', () => {
  const made = newReplicaSet(deployment('i'), [], 1)
  const hash = made.metadata.labels?.['pod-template-hash'] ?? ''
  expect(made.metadata.name).toBe(`web-${hash}`)
  expect(newReplicaSet(deployment('i'), [], 1).metadata.name).toBe(made.metadata.name)
  expect(newReplicaSet(deployment('j'), [], 1).metadata.name).not.toBe(made.metadata.name)
  expect(newReplicaSet(deployment('i', 1), [], 1).metadata.name).not.toBe(made.metadata.name)
  expect(made.spec).toMatchObject({ selector: { matchLabels: { app: 'a', 'pod-template-hash': hash } }, template: { metadata: { labels: { app: 'a', 'pod-template-hash': hash } } } })
  expect(made.metadata.annotations).toEqual({ note: 'x', 'deployment.kubernetes.io/revision': '1', 'deployment.kubernetes.io/desired-replicas': '2', 'deployment.kubernetes.io/max-replicas': '2' })
})

test('of several sets with the template, the oldest is the one', () => {
  const set = (name: string, created: string): ReplicaSet => ({ metadata: { name, creationTimestamp: created }, spec: { selector: {}, template: template('i') } })
  expect(findNewSet(deployment('i'), [set('late', '2026-01-02T00:00:00Z'), set('early', '2026-01-01T00:00:00Z')])?.metadata.name).toBe('early')
  expect(findNewSet(deployment('j'), [set('late', '2026-01-02T00:00:00Z')])).toBeUndefined()
})

test('a set that becomes current again gets the new revision and remembers the old one; a lower revision is never written', () => {
  const key = 'deployment.kubernetes.io/revision'
  expect(newReplicaSetAnnotations(deployment('i'), { [key]: '2', [`${key}-history`]: '1' }, 5, 3)).toMatchObject({ [key]: '5', [`${key}-history`]: '1,2' })
  expect(newReplicaSetAnnotations(deployment('i'), { [key]: '7' }, 5, 3)).toEqual({ [key]: '7', note: 'x' })
})
