import { compileDeviceSelector, deviceEnvironment, type DeviceSelector } from '@berth/cel'
import type { SelectorTest } from './allocator/types.ts'

const maxCompiled = 200

/** Device selectors in CEL, compiled once and kept; each evaluation is bounded in cost. */
export function selectorCache(features: { consumableCapacity: boolean; listTypeAttributes: boolean }): SelectorTest {
  const environment = deviceEnvironment(features)
  const compiled = new Map<string, DeviceSelector | Error>()
  const selectorOf = (expression: string): DeviceSelector | Error => {
    const known = compiled.get(expression)
    if (known) return known
    const { selector, error } = compileDeviceSelector(expression, environment, features)
    const result = selector ?? new Error(`CEL compile error: ${error}`)
    if (compiled.size >= maxCompiled) compiled.clear()
    compiled.set(expression, result)
    return result
  }
  return (expression, device, driver) => {
    const selector = selectorOf(expression)
    if (selector instanceof Error) throw selector
    const match = selector.matches({ ...device, driver })
    if (match.error) throw new Error(`CEL runtime error: ${match.error.message}`, { cause: match.error })
    return match.matches
  }
}
