import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { configMap, start } from './support/harness.ts'

let running: Awaited<ReturnType<typeof start>>
beforeAll(async () => {
  running = await start()
  await running.send('POST', '/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'default' } })
})
afterAll(() => running.stop())

const configMaps = '/api/v1/namespaces/default/configmaps'
const pods = '/api/v1/namespaces/default/pods'
const merge = { 'content-type': 'application/merge-patch+json' }
const pod = (name: string, more: Record<string, unknown> = {}) => ({ metadata: { name }, spec: { containers: [{ name: 'c', image: 'x:1' }], ...more } })

describe('writes', () => {
  it('patches of one object that come at once all count', async () => {
    await running.send('POST', configMaps, configMap('busy'))
    const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => running.send('PATCH', `${configMaps}/busy`, { data: { [`k${i}`]: 'v' } }, merge)))
    expect(new Set(answers.map((a) => a.status))).toEqual(new Set([200]))
    const now = await running.send('GET', `${configMaps}/busy`)
    expect(Object.keys(now.body['data'] ?? {})).toHaveLength(50)
  })

  it('of two replacements of one version only one counts', async () => {
    const made = await running.send('POST', configMaps, configMap('twice'))
    const both = await Promise.all(['a', 'b'].map((value) => running.send('PUT', `${configMaps}/twice`, { ...(made.body as object), data: { value } })))
    expect(both.map((a) => a.status).toSorted()).toEqual([200, 409])
    expect(both.find((a) => a.status === 409)?.body['message']).toBe(
      'Operation cannot be fulfilled on configmaps "twice": the object has been modified; please apply your changes to the latest version and try again')
  })

  it('of two creations of one name only one counts', async () => {
    const both = await Promise.all([1, 2].map(() => running.send('POST', configMaps, configMap('one'))))
    expect(both.map((a) => a.status).toSorted()).toEqual([201, 409])
  })

  it('that change nothing make no new version', async () => {
    const made = await running.send('POST', configMaps, configMap('same', { a: '1' }))
    const again = await running.send('PATCH', `${configMaps}/same`, { data: { a: '1' } }, merge)
    expect(again.body['metadata']?.['resourceVersion']).toBe(made.body['metadata']?.['resourceVersion'])
  })

  it('as a dry run answer as if, and store nothing', async () => {
    expect((await running.send('POST', `${configMaps}?dryRun=All`, configMap('dry'))).status).toBe(201)
    expect((await running.send('GET', `${configMaps}/dry`)).status).toBe(404)
  })

  it('with generateName get names of their own', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => running.send('POST', configMaps, { metadata: { generateName: 'gen-' } })))
    const names = answers.map((a) => a.body['metadata']?.['name'] as string)
    expect(new Set(names).size).toBe(20)
    for (const name of names) expect(name).toMatch(/^gen-[bcdfghjklmnpqrstvwxz2456789]{5}$/)
  })

  it('keep integers beyond 2^53', async () => {
    const body = '{"metadata":{"name":"wide","annotations":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"x","securityContext":{"runAsUser":9007199254740993}}]}}'
    const made = await running.send('POST', pods, body)
    // Upstream's limit for user ids is what refuses it: the number arrived whole.
    expect([made.status, made.text]).toEqual([422, expect.stringContaining('Invalid value: 9007199254740993')])
  })
})

describe('deletion', () => {
  it('waits for finalizers, and the last one to go takes the object with it', async () => {
    await running.send('POST', configMaps, { metadata: { name: 'held', finalizers: ['example.com/hold'] } })
    const marked = await running.send('DELETE', `${configMaps}/held`)
    expect(marked.body['metadata']?.['deletionTimestamp']).toBeDefined()
    expect((await running.send('GET', `${configMaps}/held`)).status).toBe(200)
    await running.send('PATCH', `${configMaps}/held`, { metadata: { finalizers: null } }, merge)
    expect((await running.send('GET', `${configMaps}/held`)).status).toBe(404)
  })

  it('gives a scheduled pod its grace period, which may be shortened and then ends at zero', async () => {
    await running.send('POST', pods, pod('graceful', { nodeName: 'n', terminationGracePeriodSeconds: 20 }))
    expect((await running.send('DELETE', `${pods}/graceful`)).body['metadata']?.['deletionGracePeriodSeconds']).toBe(20)
    expect((await running.send('DELETE', `${pods}/graceful?gracePeriodSeconds=5`)).body['metadata']?.['deletionGracePeriodSeconds']).toBe(5)
    expect((await running.send('DELETE', `${pods}/graceful?gracePeriodSeconds=9`)).body['metadata']?.['deletionGracePeriodSeconds']).toBe(5)
    await running.send('DELETE', `${pods}/graceful?gracePeriodSeconds=0`)
    expect((await running.send('GET', `${pods}/graceful`)).status).toBe(404)
  })

  it('of a namespace waits for the controller that empties it', async () => {
    await running.send('POST', '/api/v1/namespaces', { metadata: { name: 'going' } })
    const marked = await running.send('DELETE', '/api/v1/namespaces/going')
    expect(marked.body['status']?.['phase']).toBe('Terminating')
    expect((await running.send('POST', '/api/v1/namespaces/going/configmaps', configMap('late'))).status).toBe(403)
    await running.send('PUT', '/api/v1/namespaces/going/finalize', { ...(marked.body as object), spec: { finalizers: [] } })
    expect((await running.send('GET', '/api/v1/namespaces/going')).status).toBe(404)
  })

  it('with a precondition that does not hold is refused', async () => {
    await running.send('POST', configMaps, configMap('kept'))
    const answer = await running.send('DELETE', `${configMaps}/kept`, { preconditions: { uid: 'other' } })
    expect([answer.status, answer.body['reason']]).toEqual([409, 'Conflict'])
  })
})

describe('creating by PUT or apply', () => {
  it('needs the right to create', async () => {
    const { send } = running
    await send('POST', '/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles', { metadata: { name: 'changer' }, rules: [{ apiGroups: ['coordination.k8s.io', ''], resources: ['leases', 'configmaps'], verbs: ['update', 'patch', 'get'] }] })
    await send('POST', '/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings', {
      metadata: { name: 'changer' }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'changer' }, subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'bob' }],
    })
    const asBob = { authorization: 'Bearer user-token' }
    const lease = '/apis/coordination.k8s.io/v1/namespaces/default/leases/new'
    const put = await send('PUT', lease, { metadata: { name: 'new' }, spec: {} }, asBob)
    expect([put.status, put.body['message']]).toEqual([403, 'leases.coordination.k8s.io "new" is forbidden: User "bob" cannot create resource "leases" in API group "coordination.k8s.io" in the namespace "default"'])
    const applied = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'new' }, data: {} }
    expect((await send('PATCH', `${configMaps}/new?fieldManager=bob`, applied, { ...asBob, 'content-type': 'application/apply-patch+yaml' })).status).toBe(403)
    expect((await send('PUT', lease, { metadata: { name: 'new' }, spec: {} })).status).toBe(201)
    const now = await send('GET', lease)
    expect((await send('PUT', lease, { ...(now.body as object), spec: { holderIdentity: 'bob' } }, asBob)).status).toBe(200)
  })
})

describe('subresources', () => {
  it('/status changes the status alone, the object itself everything but the status', async () => {
    await running.send('POST', pods, pod('parts'))
    const through = await running.send('PATCH', `${pods}/parts/status`, { status: { phase: 'Running' }, spec: { nodeName: 'sneaked' } }, merge)
    expect([through.body['status']?.['phase'], through.body['spec']?.['nodeName']]).toEqual(['Running', undefined])
    const main = await running.send('PATCH', `${pods}/parts`, { status: { phase: 'Failed' }, metadata: { labels: { a: 'b' } } }, merge)
    expect([main.body['status']?.['phase'], main.body['metadata']?.['labels']]).toEqual(['Running', { a: 'b' }])
  })

  it('/binding assigns a pod once', async () => {
    await running.send('POST', pods, pod('bound'))
    const binding = (node: string) => ({ metadata: { name: 'bound' }, target: { kind: 'Node', name: node } })
    const both = await Promise.all(['n1', 'n2'].map((node) => running.send('POST', `${pods}/bound/binding`, binding(node))))
    expect(both.map((a) => a.status).toSorted()).toEqual([201, 409])
    const now = await running.send('GET', `${pods}/bound`)
    expect(['n1', 'n2']).toContain(now.body['spec']?.['nodeName'])
    expect(now.body['status']?.['conditions']?.[0]).toMatchObject({ type: 'PodScheduled', status: 'True' })
  })

  it('events are one set of objects in both of their groups', async () => {
    const made = await running.send('POST', '/apis/events.k8s.io/v1/namespaces/default/events', {
      metadata: { name: 'both' }, eventTime: '2026-01-01T00:00:00.000000Z', regarding: { kind: 'Pod', name: 'x', namespace: 'default' }, note: 'said', reason: 'Why', type: 'Normal', action: 'Act',
      reportingController: 'example.com/c', reportingInstance: 'i',
    })
    expect(made.status).toBe(201)
    const core = await running.send('GET', '/api/v1/namespaces/default/events?fieldSelector=involvedObject.name%3Dx')
    expect(core.body['items']?.[0]).toMatchObject({ message: 'said', reportingComponent: 'example.com/c', involvedObject: { name: 'x' } })
  })
})
