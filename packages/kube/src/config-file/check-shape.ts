import { tryParseQuantity } from '@berth/api'
import { parseDuration } from '../command/duration.ts'
import type { Shape } from './shape.ts'

/** Holds a decoded document against its shape; gives what is wrong, each with its path, all of it at once. */
export function checkShape(shape: Shape, value: unknown, path = ''): string[] {
  // null is absence, as everywhere in Kubernetes' formats.
  if (value === null || value === undefined) return []
  const wrong = (wanted: string): string[] => [`${path === '' ? 'the document' : path}: expected ${wanted}, got ${describe(value)}`]
  switch (shape.type) {
    case 'raw': return []
    case 'boolean': return typeof value === 'boolean' ? [] : wrong('true or false')
    case 'number': return typeof value === 'number' ? [] : wrong('a number')
    case 'intOrString': return Number.isInteger(value) || typeof value === 'string' ? [] : wrong('an integer or a string')
    case 'string':
      if (typeof value !== 'string') return wrong('a string')
      return shape.enum === undefined || shape.enum.includes(value) ? [] : [`${path}: Unsupported value: ${JSON.stringify(value)}: supported values: ${shape.enum.map((v) => JSON.stringify(v)).join(', ')}`]
    case 'integer':
      if (!Number.isInteger(value)) return wrong('an integer')
      if (shape.minimum !== undefined && (value as number) < shape.minimum) return wrong(`an integer of at least ${shape.minimum}`)
      return shape.maximum !== undefined && (value as number) > shape.maximum ? wrong(`an integer of at most ${shape.maximum}`) : []
    case 'duration':
      if (typeof value !== 'string') return wrong('a duration such as "10s"')
      return reasonOf(path, () => parseDuration(value))
    case 'quantity':
      return (typeof value === 'string' || typeof value === 'number') && tryParseQuantity(value) !== undefined ? [] : wrong('a quantity such as "100Mi"')
    case 'list': return Array.isArray(value) ? value.flatMap((item, i) => checkShape(shape.items, item, `${path}[${i}]`)) : wrong('a list')
    case 'map': return isObject(value) ? Object.entries(value).flatMap(([key, item]) => checkShape(shape.values, item, join(path, key))) : wrong('a map')
    case 'object': {
      if (!isObject(value)) return wrong('an object')
      const problems = Object.entries(value).flatMap(([key, item]) => {
        const field = Object.hasOwn(shape.fields, key) ? shape.fields[key] : undefined
        return field === undefined ? [`unknown field ${JSON.stringify(join(path, key))}`] : checkShape(field, item, join(path, key))
      })
      const missing = (shape.required ?? []).filter((key) => value[key] === undefined || value[key] === null)
      return [...problems, ...missing.map((key) => `${join(path, key)}: Required value`)]
    }
  }
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'an object' : JSON.stringify(value)
}

function reasonOf(path: string, check: () => unknown): string[] {
  try {
    check()
    return []
  } catch (error) {
    return [`${path}: ${(error as Error).message}`]
  }
}
