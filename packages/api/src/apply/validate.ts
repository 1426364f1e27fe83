import { isObject } from '../decode/values.ts'
import { goFormat, goType } from '../json/values.ts'
import type { Json } from '../schema/model.ts'
import { fieldElement, printElement } from './path-element.ts'
import { type Shape, type Typed, duplicateMessage, itemElement, shapeOf } from './shape.ts'

/**
 * What keeps a configuration from being applied: fields that the schema does not declare, wrong types, items that cannot be told apart.
 * Worded as upstream; empty where all is well.
 */
export function validateTyped(type: Typed, value: Json): string | undefined {
  const errors: string[] = []
  visit(errors, '', type, value)
  if (errors.length === 0) return undefined
  return errors.length === 1 ? errors[0] : ['errors:', ...errors.map((e) => `  ${e}`)].join('\n')
}

function visit(errors: string[], path: string, type: Typed, value: Json): void {
  const shape = shapeOf(type, value)
  const add = (message: string): void => void errors.push(path === '' ? message : `${path}: ${message}`)
  if (value === null) return
  if (shape.kind === 'scalar') {
    const problem = scalarProblem(shape.scalar, value)
    if (problem) add(problem)
  } else if (shape.kind === 'list') {
    if (Array.isArray(value)) visitList(errors, path, shape, value)
    else add(`expected list, got ${printed(value)}`)
  } else if (isObject(value)) {
    for (const [key, member] of Object.entries(value)) {
      const inner = shape.field(key) ?? shape.element
      const at = path + printElement(fieldElement(key))
      if (inner === undefined) {
        errors.push(`${at}: field not declared in schema`)
        return
      }
      visit(errors, at, inner, member)
    }
  } else {
    add(`expected map, got ${printed(value)}`)
  }
}

function visitList(errors: string[], path: string, shape: Extract<Shape, { kind: 'list' }>, list: Json[]): void {
  const seen = new Set<string>()
  const add = (message: string): void => void errors.push(path === '' ? message : `${path}: ${message}`)
  for (const [i, item] of list.entries()) {
    let at = `${path}[${i}]`
    if (!shape.atomic) {
      try {
        const element = itemElement(shape, item)
        if (seen.has(element)) add(duplicateMessage(element))
        seen.add(element)
        at = path + printElement(element)
      } catch (error) {
        add(`element ${i}: ${error instanceof Error ? error.message : String(error)}`)
        return
      }
    }
    visit(errors, at, shape.item, item)
  }
}

/** Upstream prints the values through Go's `%T`, `%#v` and `%v`; so the words differ by type. */
function scalarProblem(scalar: Extract<Shape, { kind: 'scalar' }>['scalar'], value: Json): string | undefined {
  switch (scalar) {
    case 'numeric': return typeof value === 'number' || typeof value === 'bigint' ? undefined : 'expected numeric (int or float), got *value.valueUnstructured'
    case 'string': return typeof value === 'string' ? undefined : `expected string, got &value.valueUnstructured{Value:${goSyntax(value)}}`
    case 'boolean': return typeof value === 'boolean' ? undefined : `expected boolean, got ${printed(value)}`
    case 'untyped': return undefined
  }
}

const printed = (value: Json): string => `&{${goFormat(value)}}`

function goSyntax(value: Json): string {
  if (Array.isArray(value)) return `[]interface {}{${value.map(goSyntax).join(', ')}}`
  if (isObject(value)) return `map[string]interface {}{${Object.keys(value).sort().map((k) => `${JSON.stringify(k)}:${goSyntax(value[k] ?? null)}`).join(', ')}}`
  return typeof value === 'string' ? JSON.stringify(value) : goType(value) === '<nil>' ? 'interface {}(nil)' : String(value)
}
