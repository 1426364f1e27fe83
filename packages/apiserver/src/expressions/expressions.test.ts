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
const policy = (spec: object) => ({ metadata: { name: 'x' }, spec })

describe('expressions are compiled:', () => {
  it.each<[string, string, object, string[]]>([
    ['apiextensions.k8s.io/v1/CustomResourceDefinition', 'rules that hold', rules('integer', { rule: 'self > 1', messageExpression: "'no: ' + string(self)" }), []],
    ['apiextensions.k8s.io/v1/CustomResourceDefinition', 'names that nobody knows', rules('integer', { rule: 'it > 1' }), [`${at}.x-kubernetes-validations[0].rule: compilation failed: ERROR: <input>:1:1: undeclared reference to 'it' (in container '')`]],
    ['apiextensions.k8s.io/v1/CustomResourceDefinition', 'a rule that is a number', rules('integer', { rule: 'self + 1' }), [`${at}.x-kubernetes-validations[0].rule: cel expression must evaluate to a bool`]],
    ['apiextensions.k8s.io/v1/CustomResourceDefinition', 'a message that is none', rules('integer', { rule: 'true', messageExpression: 'self' }), [`${at}.x-kubernetes-validations[0].messageExpression: messageExpression must evaluate to a string`]],
    ['apiextensions.k8s.io/v1/CustomResourceDefinition', 'an old value that is optional to nobody', rules('integer', { rule: 'true', optionalOldSelf: true }), [`${at}.x-kubernetes-validations[0].optionalOldSelf: may not be set if oldSelf is not used in rule`]],
    ['apiextensions.k8s.io/v1/CustomResourceDefinition', 'the old item of a list whose items have no keys', definition({ type: 'array', items: { type: 'integer', 'x-kubernetes-validations': [{ rule: 'self >= oldSelf' }] } }),
      [`${at}.items.x-kubernetes-validations[0].rule: oldSelf cannot be used on the uncorrelatable portion of the schema within ${at}`]],
    ['admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration', 'a condition that is a number', { webhooks: [{ matchConditions: [{ name: 'a', expression: '1' }] }] }, ['webhooks[0].matchConditions[0].expression: must evaluate to bool but got int']],
    ['admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration', 'parameters, which webhooks do not have', { webhooks: [{ matchConditions: [{ name: 'a', expression: 'params.a' }] }] },
      ["webhooks[0].matchConditions[0].expression: compilation failed: ERROR: <input>:1:1: undeclared reference to 'params' (in container '')"]],
    ['admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy', 'variables in their order', policy({ variables: [{ name: 'a', expression: 'variables.b' }, { name: 'b', expression: '1' }], validations: [{ expression: 'variables.b == 1' }] }),
      [expect.stringContaining('spec.variables[0].expression: compilation failed') as unknown as string]],
    ['admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy', 'a message that asks what may be done', policy({ validations: [{ expression: 'true', messageExpression: "authorizer.path('/').check('get').reason()" }] }),
      [expect.stringContaining("undeclared reference to 'authorizer'") as unknown as string]],
    ['admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy', 'an annotation that is a number', policy({ auditAnnotations: [{ key: 'a', valueExpression: '1' }] }), ['spec.auditAnnotations[0].valueExpression: must evaluate to one of [string null_type] but got int']],
    ['admissionregistration.k8s.io/v1/MutatingAdmissionPolicy', 'a condition that does not compile', policy({ matchConditions: [{ name: 'a', expression: 'x' }] }), [expect.stringContaining('spec.matchConditions[0].expression: compilation failed') as unknown as string]],
    ['resource.k8s.io/v1/DeviceClass', 'a selector that is a number', policy({ selectors: [{ cel: { expression: '1' } }] }), ['spec.selectors[0].cel.expression: must evaluate to bool or the unknown type, not int']],
    ['resource.k8s.io/v1/ResourceClaim', 'a selector of an alternative', policy({ devices: { requests: [{ firstAvailable: [{ selectors: [{ cel: { expression: 'device.nothing' } }] }] }] } }),
      [expect.stringContaining('spec.devices.requests[0].firstAvailable[0].selectors[0].cel.expression: compilation failed') as unknown as string]],
    ['resource.k8s.io/v1/ResourceClaimTemplate', 'a selector that holds', policy({ spec: { devices: { requests: [{ exactly: { selectors: [{ cel: { expression: "device.driver == 'a'" } }] } }] } } }), []],
  ])('%s: %s', (kind, _what, object, expected) => {
    expect(problems(kind, object)).toEqual(expected)
  })
})
