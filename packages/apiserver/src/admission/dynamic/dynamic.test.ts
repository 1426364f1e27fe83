import { createServer, type Server } from 'node:https'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { admissionregistration, core, discovery } from '@berth/api'
import type { MutatingWebhook, ValidatingAdmissionPolicy, ValidatingWebhook } from '@berth/api/types/admissionregistration/v1'
import { createCa, issueCertificate } from '@berth/kube'
import type { AdmissionAttributes, ApiObject, Authorizer } from '../../interfaces.ts'
import { admissionChain } from '../../registry/admission-chain.ts'
import { MemoryStore } from '../../test-support/memory-store.ts'
import { isMeant, matchingOf } from './matching.ts'
import { validatingAdmissionPolicy } from './validating-admission-policy.ts'
import { readAnswer } from './webhook-call.ts'
import { mutatingAdmissionWebhook, validatingAdmissionWebhook } from './webhooks.ts'

const authorizer: Authorizer = { authorize: ({ user, verb }) => ({ decision: user.name === 'alice' && verb === 'delete' ? 'allow' : 'noOpinion', reason: '' }) }
const store = (): MemoryStore => new MemoryStore()
const warnings: string[] = []

function request(over: Partial<AdmissionAttributes> = {}): AdmissionAttributes {
  const object: ApiObject = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'cm', namespace: 'shop', labels: { app: 'x' } }, data: { a: '1' } }
  return {
    operation: 'CREATE', resource: core.configmaps, subresource: '', kind: { group: '', version: 'v1', kind: 'ConfigMap' }, namespace: 'shop', name: 'cm', object, oldObject: undefined, options: {},
    user: { name: 'alice', groups: ['system:authenticated'] }, dryRun: false, warn: (text) => warnings.push(text), ...over,
  }
}
const rule = { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE' as const], resources: ['configmaps'] }

beforeEach(() => { warnings.length = 0 })

describe('matching', () => {
  const meant = (constraints: Parameters<typeof matchingOf>[0], attributes = request()): boolean => {
    const s = store()
    void s.create(core.namespaces, { metadata: { name: 'shop', labels: { team: 'a' } }, spec: {} })
    return isMeant(matchingOf(constraints), attributes, s)
  }
  test.each<[string, Parameters<typeof matchingOf>[0], Partial<AdmissionAttributes>, boolean]>([
    ['a rule that fits', { resourceRules: [rule] }, {}, true],
    ['another operation', { resourceRules: [{ ...rule, operations: ['UPDATE'] }] }, {}, false],
    ['wildcards', { resourceRules: [{ apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*'] }] }, {}, true],
    ['a subresource is not meant by its resource', { resourceRules: [rule] }, { subresource: 'status' }, false],
    ['but by resource/*', { resourceRules: [{ ...rule, resources: ['configmaps/*'] }] }, { subresource: 'status' }, true],
    ['another version of the resource is meant as well', { resourceRules: [{ ...rule, apiVersions: ['v2'] }] }, {}, true],
    ['unless the match is exact', { resourceRules: [{ ...rule, apiVersions: ['v2'] }], matchPolicy: 'Exact' }, {}, false],
    ['cluster scope', { resourceRules: [{ ...rule, scope: 'Cluster' }] }, {}, false],
    ['names', { resourceRules: [{ ...rule, resourceNames: ['other'] }] }, {}, false],
    ['what is excluded', { resourceRules: [rule], excludeResourceRules: [rule] }, {}, false],
    ['the namespace\'s labels', { resourceRules: [rule], namespaceSelector: { matchLabels: { team: 'b' } } }, {}, false],
    ['the object\'s labels', { resourceRules: [rule], objectSelector: { matchLabels: { app: 'x' } } }, {}, true],
  ])('%s', (_, constraints, over, wanted) => {
    expect(meant(constraints, request(over))).toBe(wanted)
  })
})

describe('admission policies', () => {
  async function admit(spec: ValidatingAdmissionPolicy['spec'], actions: ('Deny' | 'Warn')[], over: Partial<AdmissionAttributes> = {}): Promise<void> {
    const s = store()
    await s.create(core.namespaces, { metadata: { name: 'shop', labels: { team: 'a' } }, spec: {} })
    await s.create(admissionregistration.validatingadmissionpolicies, { metadata: { name: 'p' }, spec: { matchConstraints: { resourceRules: [rule] }, ...spec } })
    await s.create(admissionregistration.validatingadmissionpolicybindings, { metadata: { name: 'b' }, spec: { policyName: 'p', validationActions: actions } })
    await validatingAdmissionPolicy(s, authorizer).validate?.(request(over))
  }
  const tooMany = { validations: [{ expression: 'variables.n <= 1', message: 'at most one key' }], variables: [{ name: 'n', expression: 'has(object.data) ? object.data.size() : 0' }] }
  const two = { object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'cm', namespace: 'shop' }, data: { a: '1', b: '2' } } }
  test('what a validation does not hold for is denied, in upstream\'s words', async () => {
    await expect(admit(tooMany, ['Deny'])).resolves.toBeUndefined()
    await expect(admit(tooMany, ['Deny'], two)).rejects.toMatchObject({ code: 422, reason: 'Invalid', message: 'configmaps "cm" is forbidden: ValidatingAdmissionPolicy \'p\' with binding \'b\' denied request: at most one key' })
  })
  test('a binding that only warns lets it pass', async () => {
    await admit(tooMany, ['Warn'], two)
    expect(warnings).toEqual(["Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': at most one key"])
  })
  test('all policies are asked, so that all warnings are given; the first denial is the answer', async () => {
    const s = store()
    for (const name of ['a', 'b']) {
      await s.create(admissionregistration.validatingadmissionpolicies, { metadata: { name }, spec: { matchConstraints: { resourceRules: [rule] }, validations: [{ expression: 'false', message: `no ${name}`, reason: 'Forbidden' }] } })
      await s.create(admissionregistration.validatingadmissionpolicybindings, { metadata: { name: `b-${name}` }, spec: { policyName: name, validationActions: ['Deny', 'Warn'] } })
    }
    await expect((async () => validatingAdmissionPolicy(s, authorizer).validate?.(request()))()).rejects.toMatchObject({ code: 403, reason: 'Forbidden', message: expect.stringContaining("ValidatingAdmissionPolicy 'a' with binding 'b-a' denied request: no a") })
    expect(warnings).toHaveLength(2)
  })
  test.each<[string, ValidatingAdmissionPolicy['spec'], string | undefined]>([
    ['the message may be computed', { validations: [{ expression: 'false', messageExpression: "'name ' + object.metadata.name" }] }, 'denied request: name cm'],
    ['the expression is the message where there is none', { validations: [{ expression: 'object.metadata.name == "x"' }] }, 'denied request: failed expression: object.metadata.name == "x"'],
    ['the user and his rights can be asked for', { validations: [{ expression: "request.userInfo.username == 'alice' && authorizer.group('').resource('pods').check('delete').allowed() && !authorizer.group('').resource('pods').check('get').allowed()" }] }, undefined],
    ['an expression that fails denies', { validations: [{ expression: 'object.nope.x == 1' }] }, "denied request: expression 'object.nope.x == 1' resulted in error: no such key: nope"],
    ['a variable that fails does so where it is read, and is absorbed as the language says', { variables: [{ name: 'x', expression: 'object.nope.x' }], validations: [{ expression: 'true || variables.x == 1' }, { expression: 'variables.x == 1' }] },
      `denied request: expression 'variables.x == 1' resulted in error: composited variable "x" fails to evaluate: no such key: nope`],
    ['an audit annotation that fails denies', { validations: [{ expression: 'true' }], auditAnnotations: [{ key: 'k', valueExpression: 'object.nope' }] }, "denied request: expression 'object.nope' resulted in error: no such key: nope"],
    ['a message that has several lines is not used', { validations: [{ expression: 'false', message: 'plain', messageExpression: "'two' + '\\n' + 'lines'" }] }, 'denied request: plain'],
    ['what costs too much ends all of it', { variables: [{ name: 'l', expression: 'lists.range(1000)' }], validations: Array.from({ length: 30 }, () => ({ expression: 'variables.l.all(i, variables.l.exists(j, j == 150))' })) },
      'denied request: validation failed due to running out of cost budget, no further validation rules will be run'],
    ['what costs too much alone is an error of its own', { validations: [{ expression: 'lists.range(1000).all(i, lists.range(1000).all(j, i * j < 1000000))' }] }, 'resulted in error: operation cancelled: actual cost limit exceeded'],
    ['a parameter kind that nobody serves', { paramKind: { apiVersion: 'rules.example.com/v1', kind: 'Limit' }, validations: [{ expression: 'true' }] },
      "ValidatingAdmissionPolicy 'p' denied request: failed to configure policy: failed to find resource referenced by paramKind: 'rules.example.com/v1, Kind=Limit'"],
    ['the namespace of the object is known', { validations: [{ expression: "namespaceObject.metadata.labels['team'] == 'a' && namespaceObject.metadata.name == request.namespace" }] }, undefined],
    ['match conditions that fail deny', { matchConditions: [{ name: 'c', expression: 'object.nope' }], validations: [{ expression: 'true' }] }, "denied request: expression 'object.nope' resulted in error: no such key: nope"],
    ['unless failures are to be ignored', { failurePolicy: 'Ignore', validations: [{ expression: 'object.nope.x == 1' }] }, undefined],
    ['a match condition leaves requests out', { matchConditions: [{ name: 'c', expression: "request.operation == 'UPDATE'" }], validations: [{ expression: 'false' }] }, undefined],
  ])('%s', async (_, spec, message) => {
    const said = await admit(spec, ['Deny']).then(() => undefined, (error: unknown) => (error as Error).message)
    if (message === undefined) expect(said).toBeUndefined()
    else expect(said).toContain(message)
  })
})

describe('webhooks', () => {
  let server: Server
  let port = 0
  let caBundle = ''
  let answer: (review: { request: { uid: string, object: ApiObject } }) => unknown
  beforeEach(async () => {
    const ca = await createCa('webhook-ca')
    const issued = await issueCertificate(ca, { commonName: 'hook', dnsNames: ['hook.shop.svc', 'localhost'], ipAddresses: ['127.0.0.1'], usages: ['server'], days: 1 })
    caBundle = Buffer.from(ca.certificate).toString('base64')
    server = createServer({ cert: issued.certificate, key: issued.key }, (incoming, outgoing) => {
      let text = ''
      incoming.on('data', (chunk) => { text += String(chunk) })
      incoming.on('end', () => {
        const review = JSON.parse(text) as { request: { uid: string, object: ApiObject } }
        outgoing.end(JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: { uid: review.request.uid, ...(answer(review) as object) } }))
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    port = (server.address() as { port: number }).port
  })
  afterEach(() => { server.closeAllConnections(); server.close() })

  const hook = (over: Partial<ValidatingWebhook & MutatingWebhook> = {}): MutatingWebhook => ({ name: 'hook.example.com', admissionReviewVersions: ['v1'], sideEffects: 'None', rules: [rule], clientConfig: { url: `https://127.0.0.1:${port}/admit`, caBundle }, ...over })
  async function validate(webhook: ValidatingWebhook, over: Partial<AdmissionAttributes> = {}): Promise<void> {
    const s = store()
    await s.create(admissionregistration.validatingwebhookconfigurations, { metadata: { name: 'v' }, webhooks: [webhook] })
    await validatingAdmissionWebhook(s, authorizer).validate?.(request(over))
  }
  async function mutate(webhooks: MutatingWebhook[], attributes = request(), s = store()): Promise<ApiObject | undefined> {
    await s.create(admissionregistration.mutatingwebhookconfigurations, { metadata: { name: 'm' }, webhooks })
    await admissionChain([mutatingAdmissionWebhook(s, authorizer)]).mutate(attributes)
    return attributes.object
  }
  const patch = (operations: unknown): unknown => ({ allowed: true, patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(operations)).toString('base64') })

  test('a refusal is the answer, with the webhook\'s words, code and warnings', async () => {
    answer = () => ({ allowed: false, status: { code: 418, message: 'no tea' }, warnings: ['hot'] })
    await expect(validate(hook())).rejects.toMatchObject({ code: 418, message: 'admission webhook "hook.example.com" denied the request: no tea' })
    expect(warnings).toEqual(['hot'])
    answer = () => ({ allowed: false })
    await expect(validate(hook())).rejects.toMatchObject({ code: 403, message: 'admission webhook "hook.example.com" denied the request without explanation' })
  })
  test('a webhook that cannot be reached fails the request, or is passed over, as its policy says', async () => {
    server.close()
    server.closeAllConnections()
    const gone = hook({ clientConfig: { url: 'https://127.0.0.1:1/admit', caBundle } })
    await expect(validate(gone)).rejects.toMatchObject({ code: 500, message: expect.stringContaining('Internal error occurred: failed calling webhook "hook.example.com": failed to call webhook: Post "https://127.0.0.1:1/admit?timeout=10s"') })
    await expect(validate({ ...gone, failurePolicy: 'Ignore' })).resolves.toBeUndefined()
  })
  test('one that answers too late fails by its deadline; one with side effects is not asked on a dry run', async () => {
    server.removeAllListeners('request')
    await expect(validate(hook({ timeoutSeconds: 1 }))).rejects.toThrow('context deadline exceeded')
    await expect(validate(hook({ sideEffects: 'Some' }), { dryRun: true })).rejects.toThrow('admission webhook "hook.example.com" does not support dry run')
  })
  test('patches are laid over the object in turn, in place', async () => {
    answer = ({ request: { object } }) => patch([{ op: 'add', path: '/data/n', value: String(Object.keys(object['data'] as object).length) }])
    const attributes = request()
    const { metadata } = attributes.object!
    await mutate([hook(), hook({ name: 'second.example.com' })], attributes)
    expect(attributes.object?.['data']).toEqual({ a: '1', n: '2' })
    expect(attributes.object?.metadata).toBe(metadata)
  })
  test('one that wants it is asked again when a later one changed the object', async () => {
    let calls = 0
    answer = ({ request: { object } }) => {
      calls++
      return calls === 1 ? { allowed: true } : calls === 2 ? patch([{ op: 'add', path: '/data/late', value: 'y' }]) : patch([{ op: 'add', path: '/data/seen', value: String('late' in (object['data'] as object)) }])
    }
    expect((await mutate([hook({ reinvocationPolicy: 'IfNeeded' }), hook({ name: 'second.example.com' })]))?.['data']).toEqual({ a: '1', late: 'y', seen: 'true' })
  })
  test('a service is reached by an endpoint, under its own name', async () => {
    const s = store()
    await s.create(core.services, { metadata: { name: 'hook', namespace: 'shop' }, spec: { ports: [{ port: 443 }] } })
    await s.create(discovery.endpointslices, { metadata: { name: 'hook-1', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'hook' } }, addressType: 'IPv4', endpoints: [{ addresses: ['127.0.0.1'] }], ports: [{ port }] })
    answer = () => patch([{ op: 'add', path: '/data/by', value: 'service' }])
    expect((await mutate([hook({ clientConfig: { service: { name: 'hook', namespace: 'shop', path: '/admit' }, caBundle } })], request(), s))?.['data']).toEqual({ a: '1', by: 'service' })
  })
  test.each([
    ['{"kind":"Pod"}', 'expected webhook response of admission.k8s.io/v1'],
    ['{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview"}', 'webhook response is missing'],
    ['{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"uid":"other","allowed":true}}', 'expected response.uid="u", got "other"'],
    ['{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"uid":"u","patch":"W10="}}', 'webhook returned invalid response.patchType of ""'],
  ])('nonsense is said to be nonsense: %s', (text, message) => {
    expect(() => readAnswer(text, 'u')).toThrow(message)
  })
})
