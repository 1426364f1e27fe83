import { readFileSync } from 'node:fs'
import { parseJson } from '@berth/api'
import { describe, expect, it } from 'vitest'
import { compile, evaluate } from './compile.ts'
import { compileDeviceSelector, deviceEnvironment } from './environments/devices.ts'
import { createEnvironment } from './environments/environment.ts'
import { showValue } from './test-support/show-value.ts'
import { dynType, formatType, intType, listType, mapType, stringType } from './types/types.ts'
import type { SelectableDevice } from './environments/devices.ts'

// What Kubernetes 1.36.3's own environments and cel-go 0.26.0 answered to these expressions, with their cost.
interface Answer {
  readonly expr: string
  readonly compileError?: string
  readonly evalError?: string
  readonly type?: string
  readonly value?: string
  readonly cost?: number
}

function read<T>(name: string): T {
  return parseJson(readFileSync(new URL(`recorded/${name}.json`, import.meta.url))).value as T
}

const expressions = read<{ variables: Record<string, unknown>; answers: Answer[] }>('expressions')
const selectors = read<{ device: SelectableDevice; answers: Answer[] }>('selectors')

const environment = createEnvironment({
  variables: {
    self: dynType, oldSelf: dynType, i: intType, s: stringType, l: listType(intType), ls: listType(stringType), m: mapType(stringType, intType),
  },
})

describe('expressions', () => {
  it.each(expressions.answers)('answers $expr as upstream does, at the same cost', answer => {
    const { program, error } = compile(answer.expr, environment)
    if (program === undefined) {
      expect(error).toBe(answer.compileError)
      return
    }
    const result = evaluate(program, expressions.variables)
    expect({
      expr: answer.expr, type: formatType(program.resultType), cost: result.cost,
      ...(result.error === undefined ? { value: showValue(result.value) } : { evalError: result.error.message }),
    }).toEqual({ cost: 0, ...answer })
  })
})

describe('device selectors', () => {
  const features = { consumableCapacity: true }
  const devices = deviceEnvironment(features)

  it.each(selectors.answers)('answers $expr as upstream does, at the same cost', answer => {
    const { selector, error } = compileDeviceSelector(answer.expr, devices, features)
    if (selector === undefined) {
      expect(error).toBe(answer.compileError)
      return
    }
    const match = selector.matches(selectors.device)
    expect(match.cost).toBe(answer.cost ?? 0)
    // Upstream's error goes on with the words of its conversion between Go's types.
    if (match.error !== undefined) expect(answer.evalError).toContain(match.error.message)
    else expect(String(match.matches)).toBe(answer.value)
  })
})
