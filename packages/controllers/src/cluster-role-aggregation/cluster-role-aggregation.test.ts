import type { ClusterRole } from '@berth/api/types/rbac/v1'
import { expect, test } from 'vitest'
import { aggregatedRules } from './controller.ts'

const role = (name: string, labels: Record<string, string>, ...resources: string[]): ClusterRole => ({ metadata: { name, labels }, rules: resources.map((resource) => ({ apiGroups: [''], resources: [resource], verbs: ['get'] })) })

test('rules come in the order of selectors and names, each once, and never from the role itself', () => {
  const sum: ClusterRole = { ...role('sum', { a: 'y' }, 'secrets'), aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: 'y' } }, { matchLabels: { b: 'y' } }] } }
  const rules = aggregatedRules(sum, [sum, role('z', { a: 'y' }, 'pods'), role('c', { b: 'y' }, 'nodes', 'pods'), role('m', { a: 'y' }, 'events'), role('no', {}, 'jobs')])
  expect(rules.map((rule) => rule.resources?.[0])).toEqual(['events', 'pods', 'nodes'])
})
