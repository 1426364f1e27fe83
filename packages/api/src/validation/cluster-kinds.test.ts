import { describe, expect, it } from 'vitest'
import { problems, updateProblems } from './test-support/objects.ts'

const meta = { name: 'x', namespace: 'default' }
const cluster = { name: 'x' }
const containing = (text: string): string => expect.stringContaining(text) as unknown as string
const limit = (item: object) => ({ metadata: meta, spec: { limits: [{ type: 'Container', ...item }] } })
const quota = (spec: object) => ({ metadata: meta, spec })
const flow = (spec: object, name = 'x') => ({ metadata: { name }, spec: { priorityLevelConfiguration: { name: 'a' }, matchingPrecedence: 5, ...spec } })
const anyRule = { verbs: ['*'], apiGroups: ['*'], resources: ['*'], namespaces: ['*'] }
const level = (limited: object, name = 'x') => ({ metadata: { name }, spec: { type: 'Limited', limited: { limitResponse: { type: 'Reject' }, ...limited } } })
const rule = { operations: ['*'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }
const hook = (more: object) => ({ metadata: cluster, webhooks: [{ name: 'a.b.c', sideEffects: 'None', admissionReviewVersions: ['v1'], clientConfig: { url: 'https://a/b' }, rules: [rule], ...more }] })
const policy = (spec: object) => ({ metadata: cluster, spec: { matchConstraints: { resourceRules: [rule] }, validations: [{ expression: 'true' }], ...spec } })
const binding = (spec: object) => ({ metadata: cluster, spec: { policyName: 'p', validationActions: ['Deny'], ...spec } })
const service = (spec: object, name = 'v1.a.b') => ({ metadata: { name }, spec: { group: 'a.b', version: 'v1', groupPriorityMinimum: 1, versionPriority: 1, ...spec } })
const runtime = (more: object) => ({ metadata: cluster, handler: 'runc', ...more })
const p256 = `-----BEGIN CERTIFICATE REQUEST-----
MIHqMIGRAgEAMC8xFTATBgNVBAoMDHN5c3RlbTpub2RlczEWMBQGA1UEAwwNc3lz
dGVtOm5vZGU6YTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABE4xhffzudLYrDD1
TVNZM73GiCdUWjT4ksm2IOFGzEsqnI1lFRlDhoE32MS2uluZAYARTftNVcC4/PTr
RMJcTDugADAKBggqhkjOPQQDAgNIADBFAiEA6BUbq3R3lv5/ELH+688mPtbNdAuu
9Dzr/ETg87wu94UCIGVBKIs05GC6+9asaYHa/8wUxHQ16ZX3Y02vWbE/MxNI
-----END CERTIFICATE REQUEST-----
`
const ed25519 = `-----BEGIN CERTIFICATE REQUEST-----
MIGLMD8CAQAwDDEKMAgGA1UEAwwBeDAqMAUGAytlcAMhAKm9VUPHl/9RINAHjKhP
87MwfuVTVFavtCeaZykehGfloAAwBQYDK2VwA0EAH+maS6cYV2U330/o2+Wtm/iU
5iN+jmPsVTA9Mt0ipEz+C2l+qcsJLGKdRdoF33fMsi8QuDCrXPdpwZqh/knhBw==
-----END CERTIFICATE REQUEST-----
`
const base64 = (text: string) => Buffer.from(text).toString('base64')
const request = (spec: object = {}, status: object = {}) => ({ metadata: cluster, spec: { request: base64(p256), signerName: 'a.b/c', usages: ['client auth'], ...spec }, status })

describe('creation of', () => {
  it.each<[string, string, object, string[]]>([
    ['v1/LimitRange', 'no problem', limit({ max: { cpu: '2' }, min: { cpu: '1' } }), []],
    ['v1/LimitRange', 'a minimum above the maximum', limit({ max: { cpu: '1' }, min: { cpu: '2' } }), [
      'spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1', 'spec.limits[0].defaultRequest[cpu]: Invalid value: "1": min value 2 is greater than default request value 1',
      'spec.limits[0].default[cpu]: Invalid value: "2": min value 2 is greater than default value 1']],
    ['v1/LimitRange', 'a ratio below one, and one that the limits do not allow', { metadata: meta, spec: { limits: [
      { type: 'Pod', maxLimitRequestRatio: { cpu: '500m' } }, { type: 'Container', min: { memory: '1Gi' }, max: { memory: '2Gi' }, maxLimitRequestRatio: { memory: '3' } }] } }, [
      'spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: "500m": ratio 500m is less than 1',
      'spec.limits[1].maxLimitRequestRatio[memory]: Invalid value: "3": ratio 3 is greater than max/min = 2.000000']],
    ['v1/LimitRange', 'claims without storage, and the same type again', { metadata: meta, spec: { limits: [{ type: 'PersistentVolumeClaim' }, { type: 'PersistentVolumeClaim', min: { storage: '1' } }] } },
      ['spec.limits[0].limits: Required value: either minimum or maximum storage value is required, but neither was provided', 'spec.limits[1].type: Duplicate value: "PersistentVolumeClaim"']],
    ['v1/LimitRange', 'a type of nobody', limit({ type: 'Thing' }), ['spec.limits[0].type: Invalid value: "Thing": must be a standard limit type or fully qualified']],
    ['v1/LimitRange', 'a device of which less is asked than given', limit({ default: { 'a.b/c': '2' }, defaultRequest: { 'a.b/c': '1' } }),
      ['spec.limits[0].defaultRequest[a.b/c]: Invalid value: "1": default value 2 must equal to defaultRequest value 1 in a.b/c']],
    ['v1/ResourceQuota', 'half a pod', quota({ hard: { pods: '500m' } }), ['spec.hard[pods]: Invalid value: "500m": must be an integer']],
    ['v1/ResourceQuota', 'a resource that is for containers alone', quota({ hard: { storage: '1' } }), ['spec.hard[storage]: Invalid value: "storage": must be a standard resource for quota']],
    ['v1/ResourceQuota', 'scopes that exclude each other', quota({ hard: { pods: '1' }, scopes: ['BestEffort', 'NotBestEffort'] }), ['spec.scopes: Invalid value: ["BestEffort","NotBestEffort"]: conflicting scopes']],
    ['v1/ResourceQuota', 'a scope that says nothing of the resource', quota({ hard: { services: '1', 'count/x.y': '1' }, scopes: ['Terminating'] }), ['spec.scopes: Invalid value: ["Terminating"]: unsupported scope applied to resource']],
    ['v1/ResourceQuota', 'a selector that compares what only exists', quota({ scopeSelector: { matchExpressions: [{ scopeName: 'Terminating', operator: 'In' }] } }), [
      containing('spec.scopeSelector.matchExpressions.operator: Invalid value: "In": must be \'Exists\' when scope is any of'), containing('spec.scopeSelector.matchExpressions.values: Required value: must be at least one value')]],
    ['node.k8s.io/v1/RuntimeClass', 'no handler', runtime({ handler: undefined }), ['handler: Required value']],
    ['node.k8s.io/v1/RuntimeClass', 'a toleration twice, but for its seconds', runtime({ scheduling: { tolerations: [{ key: 'a', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 1 }, { key: 'a', operator: 'Exists', effect: 'NoExecute' }] } }),
      ['scheduling.tolerations[1]: Duplicate value: {"key":"a","operator":"Exists","effect":"NoExecute"}']],
    ['node.k8s.io/v1/RuntimeClass', 'less than no overhead', runtime({ overhead: { podFixed: { cpu: '-1' } } }), ['overhead.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0']],
    ['flowcontrol.apiserver.k8s.io/v1/FlowSchema', 'the first place', flow({ matchingPrecedence: 1 }), ["spec.matchingPrecedence: Invalid value: 1: only the schema named 'exempt' may have matchingPrecedence 1"]],
    ['flowcontrol.apiserver.k8s.io/v1/FlowSchema', 'a rule for nobody about nothing', flow({ rules: [{}] }),
      ['spec.rules[0].subjects: Required value: subjects must contain at least one value', 'spec.rules[0]: Required value: at least one of resourceRules and nonResourceRules has to be non-empty']],
    ['flowcontrol.apiserver.k8s.io/v1/FlowSchema', 'a subject of another kind', flow({ rules: [{ subjects: [{ kind: 'User', group: { name: 'g' } }], resourceRules: [anyRule] }] }),
      ["spec.rules[0].subjects[0].user: Required value: user is required when subject kind is 'User'", "spec.rules[0].subjects[0].group: Forbidden: group is forbidden when subject kind is not 'Group'"]],
    ['flowcontrol.apiserver.k8s.io/v1/FlowSchema', 'an unknown verb and paths that are none', flow({ rules: [{ subjects: [{ kind: 'Group', group: { name: 'g' } }], nonResourceRules: [{ verbs: ['head'], nonResourceURLs: ['a', '/a//b', '/*/a'] }] }] }), [
      containing('spec.rules[0].nonResourceRules[0].verbs: Unsupported value: ["head"]'), 'spec.rules[0].nonResourceRules[0].nonResourceURLs[0]: Invalid value: "a": must start with slash',
      'spec.rules[0].nonResourceRules[0].nonResourceURLs[1]: Invalid value: "/a//b": must not contain double slash', 'spec.rules[0].nonResourceRules[0].nonResourceURLs[2]: Invalid value: "/*/a": wildcard can only do suffix matching']],
    ['flowcontrol.apiserver.k8s.io/v1/FlowSchema', 'another catch-all', flow({}, 'catch-all'), [containing("spec of 'catch-all' must equal the fixed value")]],
    ['flowcontrol.apiserver.k8s.io/v1/PriorityLevelConfiguration', 'a hand that needs too many bits', level({ limitResponse: { type: 'Queue', queuing: { queues: 1024, handSize: 7 } } }),
      ['spec.limited.limitResponse.queuing.handSize: Invalid value: 7: required entropy bits of deckSize 1024 and handSize 7 should not be greater than 60']],
    ['flowcontrol.apiserver.k8s.io/v1/PriorityLevelConfiguration', 'no queues where there should be', level({ limitResponse: { type: 'Queue' } }), ['spec.limited.limitResponse.queuing: Required value: must not be empty if limited.limitResponse.type is Limited']],
    ['flowcontrol.apiserver.k8s.io/v1/PriorityLevelConfiguration', 'another exempt level', { metadata: cluster, spec: { type: 'Exempt' } }, ["spec.type: Invalid value: \"Exempt\": must be 'Exempt' if and only if `name` is 'exempt'"]],
    ['flowcontrol.apiserver.k8s.io/v1/PriorityLevelConfiguration', 'other shares of the exempt level', { metadata: { name: 'exempt' }, spec: { type: 'Exempt', exempt: { nominalConcurrencyShares: 50 } } }, []],
    ['certificates.k8s.io/v1/CertificateSigningRequest', 'no problem', request(), []],
    ['certificates.k8s.io/v1/CertificateSigningRequest', 'no problem either', request({ request: base64(ed25519) }), []],
    ['certificates.k8s.io/v1/CertificateSigningRequest', 'something that is no request', request({ request: base64('hello') }), [`spec.request: Invalid value: "${base64('hello')}": PEM block type must be CERTIFICATE REQUEST`]],
    ['certificates.k8s.io/v1/CertificateSigningRequest', 'another one\'s signature', request({ request: base64(p256.replace('TVNZM73G', 'TVNZM73H')) }), [containing('spec.request: Invalid value')]],
    ['certificates.k8s.io/v1/CertificateSigningRequest', 'an unknown usage twice, and no time', request({ usages: ['a', 'a'], expirationSeconds: 599 }), [
      containing('spec.usages[0]: Unsupported value: "a": supported values: "any", "cert sign"'), containing('spec.usages[1]: Unsupported value: "a"'), 'spec.usages[1]: Duplicate value: "a"',
      'spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 600 seconds (10 minutes)']],
    ['certificates.k8s.io/v1/CertificateSigningRequest', 'a signer without a path', request({ signerName: 'a.b' }), ['spec.signerName: Invalid value: "a.b": must be a fully qualified domain and path of the form \'example.com/signer-name\'']],
    ['certificates.k8s.io/v1/CertificateSigningRequest', 'the old signer', request({ signerName: 'kubernetes.io/legacy-unknown' }), ['spec.signerName: Invalid value: "kubernetes.io/legacy-unknown": the legacy signerName is not allowed via this API version']],
    ['certificates.k8s.io/v1/CertificateSigningRequest', 'both answers, one of them no', request({}, { conditions: [{ type: 'Approved', status: 'False' }, { type: 'Denied', status: 'True' }] }),
      ['status.conditions[0].status: Unsupported value: "False": supported values: "True"', 'status.conditions: Invalid value: "Denied": Approved and Denied conditions are mutually exclusive']],
    ['admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration', 'no problem', hook({}), []],
    ['admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration', 'a name of two parts, effects, no time', hook({ name: 'a.b', sideEffects: 'Some', timeoutSeconds: 31 }), [
      'webhooks[0].name: Invalid value: "a.b": should be a domain with at least three segments separated by dots', 'webhooks[0].sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun"',
      'webhooks[0].timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds']],
    ['admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration', 'a URL that says too much', hook({ clientConfig: { url: 'http://u@h/p?q#f' } }), [
      'webhooks[0].clientConfig.url: Invalid value: "http": \'https\' is the only allowed URL scheme; desired format: https://host[/path]', 'webhooks[0].clientConfig.url: Invalid value: "u": user information is not permitted in the URL',
      'webhooks[0].clientConfig.url: Invalid value: "f": fragments are not permitted in the URL', 'webhooks[0].clientConfig.url: Invalid value: "q": query parameters are not permitted in the URL']],
    ['admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration', 'a service without a name, at a path that is none', hook({ clientConfig: { service: { namespace: 'n', path: '/a//b' } } }), [
      'webhooks[0].clientConfig.service.name: Required value', 'webhooks[0].clientConfig.service.path: Invalid value: "/a//b": segment[1] may not be empty']],
    ['admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration', 'resources beside all of them', hook({ rules: [{ ...rule, resources: ['pods', 'pods/*', 'pods/log', '*'] }] }), [
      'webhooks[0].rules[0].resources[2]: Invalid value: "pods/log": if \'pods/*\' is present, must not specify pods/log',
    ]],
    ['admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration', 'all resources beside one', hook({ rules: [{ ...rule, resources: ['*', 'pods'] }] }),
      ['webhooks[0].rules[0].resources: Invalid value: ["*","pods"]: if \'*\' is present, must not specify other resources without subresources']],
    ['admissionregistration.k8s.io/v1/MutatingWebhookConfiguration', 'two of one name, spoken to in an unknown version', { metadata: cluster, webhooks: [hook({ admissionReviewVersions: ['v2'] }).webhooks[0], hook({}).webhooks[0]] },
      ['webhooks[0].admissionReviewVersions: Invalid value: ["v2"]: must include at least one of v1, v1beta1', 'webhooks[1].name: Duplicate value: "a.b.c"']],
    ['admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy', 'no problem', policy({}), []],
    ['admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy', 'nothing to judge by', policy({ validations: [] }), [
      'spec.validations: Required value: validations or auditAnnotations must contain at least one item', 'spec.auditAnnotations: Required value: validations or auditAnnotations must contain at least one item']],
    ['admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy', 'a variable that is a word of the language', policy({ variables: [{ name: 'in', expression: '1' }], paramKind: { apiVersion: 'a/b/c', kind: 'K' } }),
      ['spec.paramKind.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c', 'spec.variables[0].name: Invalid value: "in": must be a valid CEL identifier']],
    ['admissionregistration.k8s.io/v1/ValidatingAdmissionPolicyBinding', 'to deny and to warn', binding({ validationActions: ['Deny', 'Warn', 'Deny'], paramRef: { name: 'a', selector: {} } }), [
      'spec.paramRef.name: Forbidden: name and selector are mutually exclusive', 'spec.paramRef.selector: Forbidden: name and selector are mutually exclusive', 'spec.paramRef.parameterNotFoundAction: Required value',
      'spec.validationActions[2]: Duplicate value: "Deny"', containing('spec.validationActions: Invalid value: ["Deny","Warn","Deny"]: must not contain both Deny and Warn')]],
    ['admissionregistration.k8s.io/v1/MutatingAdmissionPolicy', 'a patch of another type, of what is deleted', { metadata: cluster, spec: {
      reinvocationPolicy: 'Never', matchConstraints: { resourceRules: [{ ...rule, operations: ['DELETE'] }] }, mutations: [{ patchType: 'JSONPatch', applyConfiguration: { expression: '1' } }] } }, [
      containing('spec.matchConstraints.resourceRules.operations: Unsupported value: "DELETE"'), 'spec.mutations[0].jsonPatch: Required value: must be specified when patchType is JSONPatch',
      'spec.mutations[0].applyConfiguration: Invalid value: "{applyConfiguration}": must not be specified when patchType is JSONPatch']],
    ['apiregistration.k8s.io/v1/APIService', 'no problem', service({}), []],
    ['apiregistration.k8s.io/v1/APIService', 'another name and no priority', service({ versionPriority: 0, groupPriorityMinimum: 20001 }, 'x'), [
      'metadata.name: Invalid value: "x": must be `spec.version+"."+spec.group`: "v1.a.b"', 'spec.groupPriorityMinimum: Invalid value: 20001: must be positive and less than 20000',
      'spec.versionPriority: Invalid value: 0: must be positive and less than 1000']],
    ['apiregistration.k8s.io/v1/APIService', 'trust in nobody', service({ insecureSkipTLSVerify: true, caBundle: base64('x') }),
      ['spec.caBundle: Invalid value: "1 bytes": local APIServices may not have a caBundle', 'spec.insecureSkipTLSVerify: Invalid value: true: local APIServices may not have insecureSkipTLSVerify']],
  ])('%s finds %s', (kind, _what, object, expected) => {
    expect(problems(kind, object)).toEqual(expected)
  })
})

describe('an update of', () => {
  const approved = { conditions: [{ type: 'Approved', status: 'True', reason: 'a' }] }
  it.each<[string, string, string, object, object, string[]]>([
    ['v1/ResourceQuota', 'its scopes', '', quota({ scopes: ['BestEffort'] }), quota({}), ['spec.scopes: Invalid value: ["BestEffort"]: field is immutable']],
    ['node.k8s.io/v1/RuntimeClass', 'its handler', '', runtime({ handler: 'b' }), runtime({}), ['handler: Invalid value: "b": field is immutable']],
    ['certificates.k8s.io/v1/CertificateSigningRequest', 'its approval by its status', 'status', request({}, approved), request(), ['status.conditions: Forbidden: updates may not add a condition of type "Approved"']],
    ['certificates.k8s.io/v1/CertificateSigningRequest', 'its approval', 'approval', request({}, approved), request(), []],
    ['certificates.k8s.io/v1/CertificateSigningRequest', 'its approval into none', 'approval', request(), request({}, approved), ['status.conditions: Forbidden: updates may not remove a condition of type "Approved"']],
    ['certificates.k8s.io/v1/CertificateSigningRequest', 'its certificate by its approval', 'approval', request({}, { certificate: base64('x') }), request(),
      ['status.certificate: Invalid value: "<certificate data>": must contain at least one CERTIFICATE PEM block', 'status.certificate: Forbidden: updates may not set certificate content']],
    ['admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration', 'something else, where side effects were there before', '', hook({ sideEffects: 'Some', timeoutSeconds: 3 }), hook({ sideEffects: 'Some' }), []],
  ])('%s is told of %s', (kind, _what, subresource, object, old, expected) => {
    const withMeta = (one: object): object => ({ ...one, metadata: { ...(one as { metadata: object }).metadata, uid: 'u', resourceVersion: '1' } })
    expect(updateProblems(kind, withMeta(object), withMeta(old), subresource)).toEqual(expected)
  })
})
