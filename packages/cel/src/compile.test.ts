import { describe, expect, it } from 'vitest'
import { admissionEnvironment, AuthorizerValue, CelCancelledError, compile, evaluate, lazyVariables, ruleEnvironment, schemaType, toJson } from './index.ts'
import { stringType } from './types/types.ts'
import type { Environment } from './index.ts'
import type { RuleSchema } from './index.ts'

function run(environment: Environment, expression: string, variables: Record<string, unknown>): unknown {
  const { program, error } = compile(expression, environment)
  if (program === undefined) return error
  const result = evaluate(program, variables)
  return result.error === undefined ? toJson(result.value) : result.error.message
}

const schema: RuleSchema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: {
        'replicas': { type: 'integer' }, 'ratio': { type: 'number' }, 'max-size': { type: 'integer' }, 'namespace': { type: 'string' },
        'port': { 'x-kubernetes-int-or-string': true }, 'since': { type: 'string', format: 'date-time' }, 'wait': { type: 'string', format: 'duration' },
        'names': { 'type': 'array', 'items': { type: 'string' }, 'x-kubernetes-list-type': 'set' },
        'rules': {
          'type': 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'],
          'items': { type: 'object', properties: { name: { type: 'string' }, value: { type: 'integer' } } },
        },
        'labels': { type: 'object', additionalProperties: { type: 'string' } },
        'anything': {},
      },
    },
  },
}

describe('rules', () => {
  const self = schemaType(schema, { resource: true })
  if (self === undefined) throw new Error('the schema has a type')
  const environment = ruleEnvironment(self)
  const object = {
    apiVersion: 'a/v1', kind: 'A', metadata: { name: 'x' },
    spec: {
      'replicas': 3, 'ratio': 1, 'max-size': 5, 'namespace': 'n', 'port': '80', 'since': '2024-01-01T00:00:00Z', 'wait': '90s', 'names': ['a', 'b'],
      'rules': [{ name: 'one', value: 1 }, { name: 'two', value: 2 }], 'labels': { 'a.b/c': 'd' },
    },
  }

  it.each([
    ['self.spec.replicas > 2', true],
    ['self.spec.ratio == 1.0', true],
    ['self.spec.max__dash__size == 5 && self.spec.__namespace__ == "n"', true],
    ['type(self.spec.port) == string && self.spec.port == "80"', true],
    ['self.spec.since < timestamp("2025-01-01T00:00:00Z") && self.spec.wait == duration("1m30s")', true],
    ['self.spec.names == ["b", "a"]', true],
    ['(self.spec.names + ["b", "c"]).size()', 3],
    ['(self.spec.rules + oldSelf.spec.rules).map(r, r.value)', [10, 2, 30]],
    ['self.spec.labels["a.b/c"] == "d" && self.spec.labels.all(k, v, v == "d")', true],
    ['self.metadata.name == "x" && has(self.metadata.name) && !has(self.metadata.generateName)', true],
    ['self.kind + self.apiVersion', 'Aa/v1'],
  ])('evaluates %s', (expression, expected) => {
    const oldSelf = { ...object, spec: { ...object.spec, rules: [{ name: 'one', value: 10 }, { name: 'three', value: 30 }] } }
    expect(run(environment, expression, { self: object, oldSelf })).toEqual(expected)
  })

  it('refuses a field that the schema does not have, and one whose schema says nothing', () => {
    expect(run(environment, 'self.spec.nope == 1', {})).toBe('ERROR: <input>:1:10: undefined field \'nope\'\n | self.spec.nope == 1\n | .........^')
    expect(run(environment, 'self.spec.anything == 1', {})).toContain('undefined field \'anything\'')
  })

  it('refuses a comparison of fields of different types', () => {
    expect(run(environment, 'self.spec.replicas == self.kind', {})).toContain('found no matching overload for \'_==_\' applied to \'(int, string)\'')
  })

  it('makes oldSelf optional where a rule asks for that', () => {
    const optional = ruleEnvironment(stringType, { optionalOldSelf: true })
    expect(compile('oldSelf.optMap(o, o == self).orValue(true)', optional).error).toBeUndefined()
    expect(compile('oldSelf == self', optional).error).toContain('found no matching overload')
  })
})

describe('admission', () => {
  const environment = admissionEnvironment({ params: true, authorizer: true, variables: { owner: stringType } })
  const object = { metadata: { name: 'web', labels: { app: 'web' } }, spec: { replicas: 3 } }
  const asked: unknown[] = []
  const authorizer = new AuthorizerValue(question => {
    asked.push(question)
    return { allowed: question.verb === 'get', reason: 'by rule' }
  })
  const variables = {
    object, oldObject: null, params: { maxReplicas: 5 }, authorizer,
    request: { operation: 'CREATE', userInfo: { username: 'ada', groups: ['dev'] } },
    namespaceObject: { metadata: { name: 'n', labels: { env: 'prod' } } },
    variables: lazyVariables(['owner'], () => 'ada'),
  }

  it.each([
    ['object.spec.replicas <= params.maxReplicas', true],
    ['oldObject == null && request.operation == "CREATE"', true],
    ['request.userInfo.username == variables.owner && "dev" in request.userInfo.groups', true],
    ['namespaceObject.metadata.labels["env"] == "prod"', true],
    ['object.metadata.?annotations[?"a"].orValue("none")', 'none'],
    ['authorizer.group("apps").resource("deployments").namespace("n").check("get").allowed()', true],
    ['authorizer.path("/healthz").check("delete").reason()', 'by rule'],
    ['request.nope', 'ERROR: <input>:1:8: undefined field \'nope\'\n | request.nope\n | .......^'],
    ['object.spec.nope', 'no such key: nope'],
  ])('evaluates %s', (expression, expected) => {
    expect(run(environment, expression, variables)).toEqual(expected)
  })

  it('asks the authorizer what the expression names', () => {
    asked.length = 0
    run(environment, 'authorizer.serviceAccount("n", "sa").group("").resource("pods").subresource("log").name("p").check("get").allowed()', variables)
    expect(asked).toEqual([{ group: '', resource: 'pods', subresource: 'log', name: 'p', verb: 'get', serviceAccount: { namespace: 'n', name: 'sa' } }])
  })

  it('computes a variable once, and only when it is read', () => {
    let computed = 0
    const lazy = lazyVariables(['owner'], () => {
      computed++
      return 'ada'
    })
    expect(run(environment, 'has(variables.owner)', { ...variables, variables: lazy })).toBe(true)
    expect(computed).toBe(0)
    expect(run(environment, 'variables.owner == "ada" && variables.owner != ""', { ...variables, variables: lazy })).toBe(true)
    expect(computed).toBe(1)
  })
})

describe('bounds', () => {
  const environment = admissionEnvironment()

  it('stops beyond the cost limit, which logical operators do not absorb', () => {
    const { program } = compile('lists.range(1000).all(a, lists.range(1000).all(b, a + b >= 0)) || true', environment)
    if (program === undefined) throw new Error('it compiles')
    const result = evaluate(program, {}, { costLimit: 10_000 })
    expect(result.error).toBeInstanceOf(CelCancelledError)
    expect(result.error?.message).toBe('operation cancelled: actual cost limit exceeded')
    expect(result.cost).toBeLessThan(12_100)
  })

  it('stops at the deadline', () => {
    let time = 0
    const { program } = compile('lists.range(10000).all(a, a >= 0)', environment)
    if (program === undefined) throw new Error('it compiles')
    expect(evaluate(program, {}, { deadline: 5, now: () => time++ }).error?.message).toBe('operation interrupted')
  })

  it.each([['(', 300], ['[', 300], ['(', 100_000]])('refuses %s nested %i times', (bracket, depth) => {
    expect(compile(bracket.repeat(depth), environment).error).toContain('expression recursion limit exceeded')
  })

  it.each(['-'.repeat(20_000) + 'object', 'object' + '.a'.repeat(20_000), Array.from({ length: 5000 }, () => 'true').join(' && ')])('survives a long chain', expression => {
    const { program, error } = compile(expression, environment)
    expect(program !== undefined || error !== undefined).toBe(true)
  })
})
