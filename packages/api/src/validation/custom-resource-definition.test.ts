import { describe, expect, it } from 'vitest'
import type { CustomResourceDefinition, JSONSchemaProps } from '../types/apiextensions/v1.ts'
import { schemaPlaces } from './index.ts'
import { problems, updateProblems } from './test-support/objects.ts'

const at = 'spec.validation.openAPIV3Schema'
const version = (more: object = {}) => ({ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } }, ...more })
const crd = (spec: object = {}, metadata: object = {}): CustomResourceDefinition => ({
  metadata: { name: 'boats.a.b', ...metadata },
  spec: { group: 'a.b', scope: 'Namespaced', names: { plural: 'boats', kind: 'Boat' }, versions: [version()], ...spec },
} as unknown as CustomResourceDefinition)
const withSchema = (schema: object, more: object = {}) => crd({ versions: [version({ schema: { openAPIV3Schema: schema }, ...more })] })
const withProperty = (schema: object) => withSchema({ type: 'object', properties: { a: schema } })
const kind = 'apiextensions.k8s.io/v1/CustomResourceDefinition'
const list = (more: object) => ({ type: 'array', items: { type: 'object', properties: { k: { type: 'string' } } }, ...more })

describe('a definition', () => {
  it.each<[string, object, string[]]>([
    ['no problem', crd(), []],
    ['a name that is not made of its parts', crd({}, { name: 'x' }), ['metadata.name: Invalid value: "x": must be spec.names.plural+"."+spec.group']],
    ['a group without a dot, in no scope', crd({ group: 'a', scope: 'Here' }, { name: 'boats.a' }), ['spec.group: Invalid value: "a": should be a domain with at least one dot', 'spec.scope: Unsupported value: "Here": supported values: "Cluster", "Namespaced"']],
    ['a kind and a list of one name', crd({ names: { plural: 'boats', kind: 'Boat', listKind: 'Boat' } }), ['spec.names.listKind: Invalid value: "Boat": kind and listKind may not be the same']],
    ['two versions that are stored', crd({ versions: [version(), version({ name: 'v2' })] }), [
      expect.stringContaining('must have exactly one version marked as storage version') as unknown as string, 'status.storedVersions: Invalid value: ["v1"]: must have the storage version v2']],
    ['a version that is used before it is deprecated', crd({ versions: [version({ deprecationWarning: 'w' })] }), ['spec.versions[0].deprecationWarning: Invalid value: "w": can only be set for deprecated versions']],
    ['a group of Kubernetes\' own', crd({ group: 'x.k8s.io' }, { name: 'boats.x.k8s.io' }),
      ['metadata.annotations[api-approved.kubernetes.io]: Required value: protected groups must have approval annotation "api-approved.kubernetes.io", see https://github.com/kubernetes/enhancements/pull/1111']],
    ['a group of Kubernetes\' own that was approved', crd({ group: 'x.k8s.io' }, { name: 'boats.x.k8s.io', annotations: { 'api-approved.kubernetes.io': 'https://a.b/c' } }), []],
    ['a webhook that is nowhere', crd({ conversion: { strategy: 'Webhook', webhook: { conversionReviewVersions: ['v2'] } } }),
      ['spec.conversion.webhookClientConfig: Required value: required when strategy is set to Webhook', 'spec.conversion.conversionReviewVersions: Invalid value: ["v2"]: must include at least one of v1, v1beta1']],
    ['a column without a path', crd({ versions: [version({ additionalPrinterColumns: [{ name: 'A', type: 'text', jsonPath: 'spec' }] })] }), [
      'spec.additionalPrinterColumns[0].type: Invalid value: "text": must be one of boolean,date,integer,number,string', 'spec.additionalPrinterColumns[0].JSONPath: Invalid value: "spec": must be a simple json path starting with .']],
    ['replicas that are no part of spec', crd({ versions: [version({ subresources: { scale: { specReplicasPath: '.status.a', statusReplicasPath: '.status.a' } } })] }),
      ['spec.subresources.scale.specReplicasPath: Invalid value: ".status.a": should be a json path under .spec']],
    ['selectable fields that are none', withSchema({ type: 'object', properties: { a: { type: 'object', properties: { b: { type: 'number' } } } } }, { selectableFields: [{ jsonPath: '.a.c' }, { jsonPath: '.a.b' }, { jsonPath: ".a['b']" }] }), [
      'spec.selectableFields[0].jsonPath: Invalid value: ".a.c": is an invalid path: does not refer to a valid field',
      'spec.selectableFields[1].jsonPath: Invalid value: ".a.b": must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.',
      'spec.selectableFields[2].jsonPath: Invalid value: ".a[\'b\']": is an invalid path: array notation is not allowed']],
    ['a root that says more than its status can be cut out of', withSchema({ type: 'object', anyOf: [{ required: ['a'] }] }, { subresources: { status: {} } }), [expect.stringContaining('fields are allowed at the root of the schema if the status subresource is enabled') as unknown as string]],
    ['a field of no type', withProperty({}), [`${at}.properties[a].type: Required value: must not be empty for specified object fields`]],
    ['a field of an unknown type', withProperty({ type: 'text' }), [`${at}.properties[a].type: Unsupported value: "text": supported values: "array", "boolean", "integer", "number", "object", "string"`]],
    ['types inside of a junctor, and what is not specified outside', withSchema({ type: 'object', anyOf: [{ type: 'object', properties: { b: { minimum: 1 } } }] }),
      [`${at}.anyOf[0].type: Forbidden: must be empty to be structural`, `${at}.properties[b]: Required value: because it is defined in ${at}.anyOf[0].properties[b]`]],
    ['an integer or a string', withProperty({ 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] }), []],
    ['metadata that says more than names', withSchema({ type: 'object', properties: { metadata: { type: 'object', properties: { labels: { type: 'object' } } } } }),
      [`${at}.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified`]],
    ['metadata that says something of names', withSchema({ type: 'object', properties: { metadata: { type: 'object', properties: { name: { type: 'string', maxLength: 5 } } } } }), []],
    ['fields beside any fields', withProperty({ type: 'object', properties: { b: { type: 'string' } }, additionalProperties: { type: 'string' } }), [`${at}.properties[a].additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive`]],
    ['a reference', withProperty({ type: 'string', $ref: '#/x' }), [`${at}.properties[a].$ref: Forbidden: $ref is not supported`]],
    ['a pattern that is none', withProperty({ type: 'string', pattern: '(' }), [expect.stringContaining(`${at}.properties[a].pattern: Invalid value: "(": must be a valid regular expression, but isn't: error parsing regexp`) as unknown as string]],
    ['a default that breaks its own rules', withProperty({ type: 'string', default: 'abc', maxLength: 2 }), [`${at}.properties[a].default: Too long: may not be more than 2 bytes`]],
    ['a default with fields of nobody', withProperty({ type: 'object', properties: { b: { type: 'string' } }, default: { b: 'x', c: 'y' } }), [`${at}.properties[a].default: Invalid value: {"b":"x","c":"y"}: must not have unknown fields`]],
    ['a list by keys that may be missing', withProperty(list({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['k'] })),
      [`${at}.properties[a].items.properties[k].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property`]],
    ['a list by keys that no item has', withProperty(list({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['z'] })), [`${at}.properties[a].x-kubernetes-list-map-keys: Invalid value: ["z"]: entries must all be names of item properties`]],
    ['a set of lists of things', withProperty({ type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'object' } }), [expect.stringContaining('must be atomic as item of a list with x-kubernetes-list-type=set') as unknown as string]],
    ['rules that say nothing, or in two lines, or of a field that is not there', withProperty({ type: 'string', 'x-kubernetes-validations': [{ rule: ' ' }, { rule: 'a\nb' }, { rule: 'true', fieldPath: '.x', reason: 'Bad' }] }), [
      `${at}.properties[a].x-kubernetes-validations[0].rule: Required value: rule is not specified`, `${at}.properties[a].x-kubernetes-validations[1].message: Required value: message must be specified if rule contains line breaks`,
      `${at}.properties[a].x-kubernetes-validations[2].reason: Unsupported value: "Bad": supported values: "FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"`,
      `${at}.properties[a].x-kubernetes-validations[2].fieldPath: Invalid value: ".x": must be a valid path`]],
  ])('has %s', (_what, object, expected) => {
    expect(problems(kind, object)).toEqual(expected)
  })

  it('keeps its kind and scope once it is established, and its group always', () => {
    const stored = (spec: object, established: boolean) => ({
      ...crd(spec, { uid: 'u', resourceVersion: '1' }), status: { storedVersions: ['v1'], conditions: [{ type: 'Established', status: established ? 'True' : 'False' }] },
    })
    const renamed = { scope: 'Cluster', names: { plural: 'boats', kind: 'Ship' } }
    expect(updateProblems(kind, stored(renamed, false), stored({}, false))).toEqual([])
    expect(updateProblems(kind, stored(renamed, true), stored({}, true))).toEqual(['spec.scope: Invalid value: "Cluster": field is immutable', 'spec.names.kind: Invalid value: "Ship": field is immutable'])
    expect(updateProblems(kind, stored({ group: 'c.d' }, false), stored({}, false))).toEqual(['spec.group: Invalid value: "c.d": field is immutable'])
  })

  it('tells of schemas where upstream does: at the top when all versions have the same', () => {
    const schema: JSONSchemaProps = { type: 'object' }
    expect(schemaPlaces(crd())).toEqual([{ schema, at }])
    const other: JSONSchemaProps = { type: 'object', description: 'other' }
    expect(schemaPlaces(crd({ versions: [version(), version({ name: 'v2', storage: false, schema: { openAPIV3Schema: other } })] })).map((place) => place.at))
      .toEqual(['spec.versions[0].schema.openAPIV3Schema', 'spec.versions[1].schema.openAPIV3Schema'])
  })
})
