import type { ValidatingAdmissionPolicy } from '@berth/api/types/admissionregistration/v1'
import { celTypes } from '@berth/cel'
import { describe, expect, test } from 'vitest'
import { typeOfKind, type OpenApiSchemas } from './open-api.ts'
import { expressionWarnings, namedResources } from './type-check.ts'

const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` })
const schemas: OpenApiSchemas = {
  Deployment: {
    type: 'object', 'x-kubernetes-group-version-kind': [{ group: 'apps', version: 'v1', kind: 'Deployment' }],
    properties: { apiVersion: { type: 'string' }, kind: { type: 'string' }, metadata: { allOf: [ref('Meta')] }, spec: { allOf: [ref('Spec')] } },
  },
  Meta: { type: 'object', properties: { name: { type: 'string' }, generateName: { type: 'string' }, labels: { type: 'object', additionalProperties: { type: 'string' } } } },
  Spec: { type: 'object', properties: { replicas: { type: 'integer', format: 'int32' }, maxSurge: ref('IntOrString'), children: { type: 'array', items: ref('Spec') }, inner: ref('Inner') } },
  Inner: { type: 'object', properties: { again: ref('Inner'), on: { type: 'boolean' } } },
  IntOrString: { format: 'int-or-string', oneOf: [{ type: 'integer' }, { type: 'string' }] },
}
const deployment = { group: 'apps', version: 'v1', kind: 'Deployment' }
const type = typeOfKind(schemas, deployment) ?? celTypes.dynType
const policy = (validations: { expression: string; messageExpression?: string }[], variables: { name: string; expression: string }[] = []): ValidatingAdmissionPolicy => ({ metadata: { name: 'p' }, spec: { validations, variables } })

test('a kind’s type has what its schema refers to; what refers to itself ends there', () => {
  const warnings = (expression: string): number => expressionWarnings(policy([{ expression }]), [{ ...deployment, type }], undefined).length
  expect(['object.spec.replicas > 1', 'object.spec.maxSurge == 1', "object.spec.maxSurge == '10%'", "object.metadata.labels['a'] == 'b'", 'object.spec.inner.on', 'oldObject.spec.replicas == 1'].map(warnings)).toEqual([0, 0, 0, 0, 0, 0])
  expect(['object.spec.copies > 1', 'object.spec.inner.again.on', "object.spec.replicas == 'x'"].map(warnings)).toEqual([1, 1, 1])
  expect(typeOfKind(schemas, { ...deployment, kind: 'Other' })).toBeUndefined()
})

describe('warnings', () => {
  const other = { group: '', version: 'v1', kind: 'Pod', type: celTypes.dynType }
  test('name the expression, the kind and the place', () => {
    expect(expressionWarnings(policy([{ expression: 'true' }, { expression: 'object.spec.copies > 1', messageExpression: 'object.metadata.nam' }]), [{ ...deployment, type }, other], undefined)).toEqual([
      { fieldRef: 'spec.validations[1].expression', warning: 'apps/v1, Kind=Deployment: compilation failed: ERROR: <input>:1:12: undefined field \'copies\'\n | object.spec.copies > 1\n | ...........^\n' },
      { fieldRef: 'spec.validations[1].messageExpression', warning: 'apps/v1, Kind=Deployment: compilation failed: ERROR: <input>:1:16: undefined field \'nam\'\n | object.metadata.nam\n | ...............^\n' },
    ])
  })
  test('follow variables and parameters', () => {
    const variables = [{ name: 'count', expression: 'object.spec.replicas' }, { name: 'wrong', expression: 'object.nothing' }]
    const of = (expression: string, params?: typeof type): number => expressionWarnings(policy([{ expression }], variables), [{ ...deployment, type }], params).length
    expect([of('variables.count > 1'), of("variables.count == 'a'"), of('variables.wrong == 1'), of('params.spec.replicas > 1'), of('params.spec.replicas > 1', type), of('params.spec.copies > 1', type)]).toEqual([0, 1, 0, 1, 0, 1])
  })
})

test('resources are those that a policy names', () => {
  const named = (rule: { apiGroups: string[]; apiVersions: string[]; resources: string[] }): unknown => namedResources({ metadata: { name: 'p' }, spec: { matchConstraints: { resourceRules: [rule] } } })
  expect(named({ apiGroups: ['apps'], apiVersions: ['v1'], resources: ['deployments', 'deployments/status', '*'] })).toEqual([{ group: 'apps', version: 'v1', resource: 'deployments' }])
  expect(named({ apiGroups: ['*'], apiVersions: ['v1'], resources: ['pods'] })).toEqual([])
  expect(named({ apiGroups: [''], apiVersions: ['*'], resources: ['pods'] })).toEqual([])
})
