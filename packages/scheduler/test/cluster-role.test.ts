// Every request of the scheduler beside the ClusterRole that the chart gives it. The other suites run with these rights, too.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { core } from '@berth/api'
import { schedulerRules } from '../src/rbac.ts'
import { isAllowed, questionOf } from './asked.ts'
import { eventually, startCluster, type TestCluster } from './cluster.ts'

let cluster: TestCluster

beforeAll(async () => { cluster = await startCluster() })
afterAll(() => cluster.stop())

test('it asks for nothing that its role does not give, and is refused nothing', async () => {
  await cluster.addNode('n', { cpu: '2', memory: '1Gi' })
  await cluster.createPod('low', '2', { priorityClassName: 'low' })
  await eventually('it is placed', () => cluster.pod('low'), (pod) => Boolean(pod.spec.nodeName))
  await cluster.createPod('high', '2', { priorityClassName: 'high' })
  await eventually('it takes the room', () => cluster.pod('high'), (pod) => Boolean(pod.spec.nodeName))
  await cluster.createPod('huge', '64')
  await eventually('it is refused', () => cluster.events('huge', 'FailedScheduling'), (events) => events.length > 0)
  // The same event again is counted, not made anew.
  await cluster.client.patch(core.nodes, 'n', { type: 'merge', body: { metadata: { labels: { a: 'b' } } } })
  expect(cluster.asked.forbidden).toEqual([])
  expect(cluster.asked.questions.filter((question) => !isAllowed(schedulerRules, question))).toEqual([])
})

/** What this suite does not make it do. */
const elsewhere = [
  // Of whom its own server is asked by (command.test.ts).
  /^create (subjectaccessreviews|tokenreviews)\./,
  // What claims need before a pod is bound (volumes.test.ts, devices.test.ts).
  /^(create|delete|patch|update) (persistentvolume|resourceclaims)/, /^update pods\/finalizers$/,
  // Reads by name, which follow lost answers (faults.test.ts); an event that is told again; a kind that is behind a gate.
  /^get /, /^patch events$/, / podgroups\./,
]

test('it uses what its role gives: each kind that it may read, and each way to act', () => {
  const given = schedulerRules.flatMap(({ apiGroups = [], resources = [], verbs }) => apiGroups.flatMap((group) => resources.flatMap((resource) => verbs.map((verb) => ({ verb, group, resource })))))
  const unused = given.filter(({ verb, group, resource }) => !cluster.asked.has(verb, group, resource)).map(({ verb, group, resource }) => `${verb} ${resource}${group && `.${group}`}`)
  expect(unused.filter((line) => !elsewhere.some((known) => known.test(line)))).toEqual([])
  // What is read at all is listed and watched; nothing else than a pod after a lost answer, or a claim, is read alone.
  for (const resource of ['pods', 'nodes', 'namespaces', 'services', 'persistentvolumes', 'persistentvolumeclaims', 'replicationcontrollers']) {
    expect([resource, cluster.asked.has('list', '', resource), cluster.asked.has('watch', '', resource)]).toEqual([resource, true, true])
  }
})

test.each([
  ['GET', '/api/v1/pods?watch=true', 'watch', '', 'pods'],
  ['POST', '/api/v1/namespaces/a/pods/b/binding', 'create', '', 'pods/binding'],
  ['PATCH', '/apis/resource.k8s.io/v1/namespaces/a/resourceclaims/b/status', 'patch', 'resource.k8s.io', 'resourceclaims/status'],
  ['GET', '/api/v1/namespaces/a', 'get', '', 'namespaces'],
])('%s %s is %s %s %s', (method, path, verb, group, resource) => {
  expect(questionOf({ method, path })).toEqual({ verb, group, resource })
})
