import { describe, expect, it } from 'vitest'
import type { ApiObject } from '../interfaces.ts'
import { expressionCheck } from './index.ts'

function problems(kind: string, object: object): string[] {
  const [group = '', version = '', name = ''] = kind.split('/')
  return expressionCheck({ group, version, kind: name })?.(object as ApiObject).map(({ field, detail }) => `${field}: ${detail.split('\n')[0]}`) ?? []
}

const definition = (schema: object) => ({ metadata: { name: 'x' }, spec: { versions: [{ name: 'v1', schema: { openAPIV3Schema: { type: 'object', properties: { a: schema } } } }] } })
const rules = (type: string, ...rules: object[]) => definition({ type, 'x-kubernetes-validations': rules })
const at = 'spec.validation.openAPIV3Schema.properties[a]'
const beyond = (factor: string) => `exceeds budget by factor of ${factor} (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)`
const contributed = 'contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema'
const total = (factor: string) => `spec.validation.openAPIV3Schema: x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema ${beyond(factor)}`
const policy = (spec: object) => ({ metadata: { name: 'x' }, spec })

describe('expressions are compiled:', () => {
  it.each<[string, string, object, string[]]>([
    ['apiextensions.k8s.io/v1/CustomResourceDefinition', 'rules that hold', rules('integer', { rule: 'self > 1', messageExpression: "'no, it is one'" }), []],
    ['apiextensions.k8s.io/v1/CustomResourceDefinition', 'names that nobody knows', rules('integer', { rule: 'it > 1' }), [`${at}.x-kubernetes-validations[0].rule: compilation failed: ERROR: <input>:1:1: undeclared reference to 'it' (in container '')`]],
    ['apiextensions.k8s.io/v1/CustomResourceDefinition', 'a rule that is a number', rules('integer', { rule: 'self + 1' }), [`${at}.x-kubernetes-validations[0].rule: cel expression must evaluate to a bool`]],
    ['apiextensions.k8s.io/v1/CustomResourceDefinition', 'a message that is none', rules('integer', { rule: 'true', messageExpression: 'self' }), [`${at}.x-kubernetes-validations[0].messageExpression: messageExpression must evaluate to a string`]],
    ['apiextensions.k8s.io/v1/CustomResourceDefinition', 'an old value that is optional to nobody', rules('integer', { rule: 'true', optionalOldSelf: true }), [`${at}.x-kubernetes-validations[0].optionalOldSelf: may not be set if oldSelf is not used in rule`]],
    ['apiextensions.k8s.io/v1/CustomResourceDefinition', 'the old item of a list whose items have no keys', definition({ type: 'array', items: { type: 'integer', 'x-kubernetes-validations': [{ rule: 'self >= oldSelf' }] } }),
      [`${at}.items.x-kubernetes-validations[0].rule: oldSelf cannot be used on the uncorrelatable portion of the schema within ${at}`]],
    ['apiextensions.k8s.io/v1/CustomResourceDefinition', 'a rule that may cost far too much', rules('string', { rule: "self.matches(self)" }), [`${at}.x-kubernetes-validations[0].rule: estimated rule cost ${beyond('more than 100x')}`, `${at}.x-kubernetes-validations[0].rule: ${contributed}`, total('more than 100x')]],
    ['apiextensions.k8s.io/v1/CustomResourceDefinition', 'the same where lengths are bounded', definition({ type: 'string', maxLength: 20, 'x-kubernetes-validations': [{ rule: 'self.matches(self)' }] }), []],
    ['apiextensions.k8s.io/v1/CustomResourceDefinition', 'a rule of items that nothing counts', definition({ type: 'array', items: { type: 'string', maxLength: 100, 'x-kubernetes-validations': [{ rule: "self.contains('abcdefghijklmnopqrst')" }] } }),
      [`${at}.items.x-kubernetes-validations[0].rule: estimated rule cost ${beyond('8.5x')}`]],
    ['apiextensions.k8s.io/v1/CustomResourceDefinition', 'the same where items are counted', definition({ type: 'array', maxItems: 1000, items: { type: 'string', maxLength: 100, 'x-kubernetes-validations': [{ rule: "self.contains('abcdefghijklmnopqrst')" }] } }), []],
    ['apiextensions.k8s.io/v1/CustomResourceDefinition', 'a message that may be too long', rules('string', { rule: 'true', messageExpression: "self + self.replace('', 'abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz')" }),
      [`${at}.x-kubernetes-validations[0].messageExpression: estimated messageExpression cost ${beyond('1.8x')}`]],
    ['apiextensions.k8s.io/v1/CustomResourceDefinition', 'rules that are too much together', rules('string', ...Array.from({ length: 20 }, () => ({ rule: `self.contains('${'a'.repeat(250)}')` }))),
      [...[0, 1, 2, 3].map((i) => `${at}.x-kubernetes-validations[${i}].rule: ${contributed}`), total('1.6x')]],
    ['admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration', 'a condition that is a number', { webhooks: [{ matchConditions: [{ name: 'a', expression: '1' }] }] }, ['webhooks[0].matchConditions[0].expression: must evaluate to bool but got int']],
    ['admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration', 'parameters, which webhooks do not have', { webhooks: [{ matchConditions: [{ name: 'a', expression: 'params.a' }] }] },
      ["webhooks[0].matchConditions[0].expression: compilation failed: ERROR: <input>:1:1: undeclared reference to 'params' (in container '')"]],
    ['admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy', 'variables in their order', policy({ variables: [{ name: 'a', expression: 'variables.b' }, { name: 'b', expression: '1' }], validations: [{ expression: 'variables.b == 1' }] }),
      [expect.stringContaining('spec.variables[0].expression: compilation failed') as unknown as string]],
    ['admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy', 'a message that asks what may be done', policy({ validations: [{ expression: 'true', messageExpression: "authorizer.path('/').check('get').reason()" }] }),
      [expect.stringContaining("undeclared reference to 'authorizer'") as unknown as string]],
    ['admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy', 'an annotation that is a number', policy({ auditAnnotations: [{ key: 'a', valueExpression: '1' }] }), ['spec.auditAnnotations[0].valueExpression: must evaluate to one of [string null_type] but got int']],
    ['admissionregistration.k8s.io/v1/MutatingAdmissionPolicy', 'a condition that does not compile', policy({ matchConditions: [{ name: 'a', expression: 'x' }] }), [expect.stringContaining('spec.matchConditions[0].expression: compilation failed') as unknown as string]],
    ['admissionregistration.k8s.io/v1/MutatingAdmissionPolicy', 'mutations that hold', policy({ variables: [{ name: 'a', expression: '1' }], mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression: ' Object{spec: Object.spec{replicas: variables.a}} ' } }, { patchType: 'JSONPatch', jsonPatch: { expression: '[JSONPatch{op: "remove", path: "/a"}]' } }] }), []],
    ['admissionregistration.k8s.io/v1/MutatingAdmissionPolicy', 'mutations of other types', policy({ mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression: 'Object.spec{}' } }, { patchType: 'JSONPatch', jsonPatch: { expression: '[]' } }] }),
      ['spec.mutations[0].applyConfiguration.expression: must evaluate to Object but got Object.spec', 'spec.mutations[1].jsonPatch.expression: must evaluate to list(JSONPatch) but got list(dyn)']],
    ['resource.k8s.io/v1/DeviceClass', 'a selector that is a number', policy({ selectors: [{ cel: { expression: '1' } }] }), ['spec.selectors[0].cel.expression: must evaluate to bool or the unknown type, not int']],
    ['resource.k8s.io/v1/DeviceClass', 'a selector that may cost too much', policy({ selectors: [{ cel: { expression: 'lists.range(100).all(i, lists.range(100).all(j, lists.range(100).all(k, true)))' } }] }), ['spec.selectors[0].cel.expression: too complex, exceeds cost limit']],
    ['resource.k8s.io/v1/ResourceClaim', 'a selector of an alternative', policy({ devices: { requests: [{ firstAvailable: [{ selectors: [{ cel: { expression: 'device.nothing' } }] }] }] } }),
      [expect.stringContaining('spec.devices.requests[0].firstAvailable[0].selectors[0].cel.expression: compilation failed') as unknown as string]],
    ['resource.k8s.io/v1/ResourceClaimTemplate', 'a selector that holds', policy({ spec: { devices: { requests: [{ exactly: { selectors: [{ cel: { expression: "device.driver == 'a' && device.allowMultipleAllocations" } }] } }] } } }), []],
  ])('%s: %s', (kind, _what, object, expected) => {
    expect(problems(kind, object)).toEqual(expected)
  })
})
