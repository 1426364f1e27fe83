import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { compile } from '../compile.ts'
import { compileDeviceSelector, deviceEnvironment, deviceSizes } from '../environments/devices.ts'
import { mostOften, schemaSizes } from '../environments/rule-sizes.ts'
import { ruleEnvironment, schemaType } from '../environments/rules.ts'
import { sizesFrom } from './sizes.ts'
import type { RuleSchema } from '../environments/rules.ts'

// What Kubernetes 1.36.3's own estimator answered.
interface Recorded {
  readonly schemas: Readonly<Record<string, RuleSchema>>
  /** `cost` of one evaluation at most; `times` that a value of the schema may be in one request. */
  readonly rules: readonly { readonly schema: string; readonly rule: string; readonly cost: string; readonly times: string }[]
  readonly selectors: readonly { readonly expr: string; readonly cost: string }[]
}
const recorded = JSON.parse(readFileSync(new URL('../recorded/estimates.json', import.meta.url), 'utf8')) as Recorded

describe('the worst cost of rules', () => {
  it.each(recorded.rules)('of $rule is estimated as upstream does', ({ schema: name, rule, cost, times }) => {
    const schema = recorded.schemas[name] ?? {}
    const self = schemaType(schema, { resource: true })
    const sizes = schemaSizes(schema, { resource: true })
    if (self === undefined || sizes === undefined) throw new Error('the schema has a type')
    const { program, error } = compile(rule, ruleEnvironment(self), { sizes: sizesFrom(sizes) })
    expect(error).toBeUndefined()
    expect({ cost: String(program?.maxCost), times: String(mostOften(sizes.least)) }).toEqual({ cost, times })
  })
})

describe('the worst cost of device selectors', () => {
  const features = { consumableCapacity: true }
  it.each(recorded.selectors)('of $expr is estimated as upstream does', ({ expr, cost }) => {
    const { selector, error } = compileDeviceSelector(expr, deviceEnvironment(features), features, { sizes: deviceSizes })
    expect(error).toBeUndefined()
    expect(String(selector?.program.maxCost)).toBe(cost)
  })
})
