import { RE2JS } from 're2js'
import { equalJson } from '../json/equal.ts'
import { stringifyJson } from '../json/stringify.ts'
import { isObject } from '../decode/values.ts'
import type { Json, JsonObject } from '../schema/model.ts'
import { duplicate, invalid, notSupported, required, tooLong, tooMany, type FieldError } from '../validation/field-errors.ts'
import { stringFormats } from './formats.ts'
import { structuralOf, type Structural } from './structural.ts'

/**
 * Holds a value to a structural schema's value validations and list types, in upstream's words (kube-openapi's validation and
 * apiserver/schema/listtype). CEL rules are not among them. What is as it was in `old` is let be, whatever is wrong with it: an update is
 * not to blame for a schema that has become stricter (CRDValidationRatcheting).
 */
export function validateValue(schema: Structural, value: Json, path = '', old?: Json): FieldError[] {
  const errors: FieldError[] = []
  check(schema, value, path, errors, old)
  return errors
}

/** The item of the old list that an item of a list with keys is the new form of; items of other lists have none. */
export function counterpart(list: Structural, item: Json, before: readonly Json[]): Json | undefined {
  if (list.listType === 'set') return before.find((other) => equalJson(other, item))
  if (list.listType !== 'map') return undefined
  const keys = stringifyJson(keysOf(list, item))
  return before.find((other) => stringifyJson(keysOf(list, other)) === keys)
}

function nameOf(value: Json): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'bigint') return 'integer'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value
}

function isOfType(type: Structural['type'], value: Json): boolean {
  const name = nameOf(value)
  return type === '' || name === type || (type === 'number' && name === 'integer')
}

/** kube-openapi's name of the place in a message; the object as a whole has none. */
function place(path: string): string {
  return path === '' ? '""' : path
}

function check(schema: Structural, value: Json, path: string, errors: FieldError[], old: Json | undefined): void {
  if (old !== undefined && equalJson(old, value)) return
  if (value === null && schema.nullable) return
  if (schema.intOrString ? nameOf(value) !== 'integer' && typeof value !== 'string' : !isOfType(schema.type, value)) {
    const wanted = schema.intOrString ? 'integer,string' : schema.type
    errors.push({ type: 'TypeInvalid', field: path, badValue: nameOf(value), detail: `${path} in body must be of type ${wanted}: ${JSON.stringify(nameOf(value))}` })
    return
  }
  checkEnum(schema.source, value, path, errors)
  if (typeof value === 'string') checkString(schema.source, value, path, errors)
  else if (typeof value === 'number' || typeof value === 'bigint') checkNumber(schema.source, value, path, errors)
  else if (Array.isArray(value)) checkArray(schema, value, path, errors, Array.isArray(old) ? old : [])
  else if (isObject(value)) checkObject(schema, value, path, errors, isObject(old) ? old : {})
  checkCombinations(schema.source, value, path, errors)
}

function checkEnum(source: JsonObject, value: Json, path: string, errors: FieldError[]): void {
  const allowed = source['enum']
  if (!Array.isArray(allowed) || allowed.some((one) => stringifyJson(one) === stringifyJson(value))) return
  errors.push(notSupported(path, value, allowed.map((one) => (typeof one === 'string' ? one : stringifyJson(one)))))
}

function checkString(source: JsonObject, value: string, path: string, errors: FieldError[]): void {
  const { maxLength, minLength, pattern, format } = source
  const length = [...value].length
  if (typeof maxLength === 'number' && length > maxLength) errors.push(tooLong(path, maxLength))
  if (typeof minLength === 'number' && length < minLength) errors.push(invalid(path, value, `${path} in body should be at least ${minLength} chars long`))
  if (typeof pattern === 'string' && !patternOf(pattern).test(value)) errors.push(invalid(path, value, `${path} in body should match '${pattern}'`))
  const holds = typeof format === 'string' && Object.hasOwn(stringFormats, format) ? stringFormats[format] : undefined
  if (holds && !holds(value)) errors.push(invalid(path, value, `${path} in body must be of type ${String(format)}: ${JSON.stringify(value)}`))
}

const patterns = new Map<string, RE2JS>()
const maxPatterns = 1000

/** A pattern in RE2's syntax, compiled once; matching takes linear time, whatever the pattern. Throws the engine's error, which names what is wrong as Go's does. */
export function patternOf(pattern: string): { test(value: string): boolean } {
  let made = patterns.get(pattern)
  if (!made) {
    made = RE2JS.compile(pattern)
    if (patterns.size >= maxPatterns) patterns.clear()
    patterns.set(pattern, made)
  }
  return made
}

function checkNumber(source: JsonObject, value: number | bigint, path: string, errors: FieldError[]): void {
  const { minimum, maximum, multipleOf, exclusiveMinimum, exclusiveMaximum } = source
  const bad = typeof value === 'bigint' ? Number(value) : value
  if (typeof minimum === 'number' && (exclusiveMinimum === true ? value <= minimum : value < minimum)) {
    errors.push(invalid(path, bad, `${path} in body should be greater than ${exclusiveMinimum === true ? '' : 'or equal to '}${minimum}`))
  }
  if (typeof maximum === 'number' && (exclusiveMaximum === true ? value >= maximum : value > maximum)) {
    errors.push(invalid(path, bad, `${path} in body should be less than ${exclusiveMaximum === true ? '' : 'or equal to '}${maximum}`))
  }
  if (typeof multipleOf === 'number' && !Number.isInteger(Number(value) / multipleOf)) errors.push(invalid(path, bad, `${path} in body should be a multiple of ${multipleOf}`))
  const { format } = source
  if (format === 'int32' && (value < -2147483648 || value > 2147483647)) errors.push(invalid(path, bad, `${path} in body must be of type int32: "integer"`))
}

function checkArray(schema: Structural, value: readonly Json[], path: string, errors: FieldError[], old: readonly Json[]): void {
  const { minItems, maxItems } = schema.source
  if (typeof minItems === 'number' && value.length < minItems) errors.push(invalid(path, value.length, `${path} in body should have at least ${minItems} items`))
  if (typeof maxItems === 'number' && value.length > maxItems) errors.push(tooMany(path, value.length, maxItems))
  const { items } = schema
  if (items) for (const [i, item] of value.entries()) check(items, item, `${path}[${i}]`, errors, counterpart(schema, item, old))
  if (schema.listType !== 'set' && schema.listType !== 'map') return
  const seen = new Set<string>()
  for (const [i, item] of value.entries()) {
    const shown = schema.listType === 'set' ? item : keysOf(schema, item)
    const key = stringifyJson(shown)
    if (seen.has(key)) errors.push(duplicate(`${path}[${i}]`, shown))
    seen.add(key)
  }
}

/** The key fields of an item of a map list, with the defaults of those that are missing. */
function keysOf(schema: Structural, item: Json): Json {
  if (!isObject(item)) return item
  const keys: JsonObject = {}
  for (const name of schema.listMapKeys) {
    const value = item[name] ?? schema.items?.properties.get(name)?.default
    if (value !== undefined) keys[name] = value
  }
  return keys
}

function checkObject(schema: Structural, value: JsonObject, path: string, errors: FieldError[], old: JsonObject): void {
  const at = (name: string): string => (path === '' ? name : `${path}.${name}`)
  const { minProperties, maxProperties, required: wanted } = schema.source
  const count = Object.keys(value).length
  if (typeof minProperties === 'number' && count < minProperties) errors.push(invalid(path, count, `${place(path)} in body should have at least ${minProperties} properties`))
  if (typeof maxProperties === 'number' && count > maxProperties) errors.push(tooMany(path, count, maxProperties))
  if (Array.isArray(wanted)) for (const name of wanted as string[]) if (!Object.hasOwn(value, name)) errors.push(required(at(name)))
  for (const [name, member] of Object.entries(value)) {
    const property = schema.properties.get(name)
    const before = Object.hasOwn(old, name) ? old[name] : undefined
    if (property) check(property, member, at(name), errors, before)
    else if (schema.additional !== undefined && schema.additional !== true) check(schema.additional, member, at(name), errors, before)
  }
}

/** allOf, anyOf, oneOf, not: value validations alone, as structural schemas allow. */
function checkCombinations(source: JsonObject, value: Json, path: string, errors: FieldError[]): void {
  const failures = (one: Json): FieldError[] => validateValue(structuralOf(one as JsonObject), value, path)
  const { allOf, anyOf, oneOf, not } = source
  const whole = path === '' ? '' : path
  if (Array.isArray(allOf) && allOf.length > 0) {
    const all = allOf.flatMap(failures)
    if (all.length > 0) errors.push(...all, invalid(whole, '', `${place(JSON.stringify(path))} must validate all the schemas (allOf)`))
  }
  if (Array.isArray(anyOf) && anyOf.length > 0) {
    const each = anyOf.map(failures)
    if (each.every((one) => one.length > 0)) errors.push(invalid(whole, '', `${JSON.stringify(path)} must validate at least one schema (anyOf)`), ...shortest(each))
  }
  if (Array.isArray(oneOf) && oneOf.length > 0) {
    const each = oneOf.map(failures)
    const good = each.filter((one) => one.length === 0).length
    if (good !== 1) {
      errors.push(invalid(whole, '', `${JSON.stringify(path)} must validate one and only one schema (oneOf). ${good === 0 ? 'Found none valid' : `Found ${good} valid alternatives`}`))
      if (good === 0) errors.push(...shortest(each))
    }
  }
  if (isObject(not ?? null) && failures(not as Json).length === 0) errors.push(invalid(whole, '', `${JSON.stringify(path)} must not validate the schema (not)`))
}

/** The failures of the alternative that came the nearest. */
function shortest(each: readonly FieldError[][]): readonly FieldError[] {
  return each.reduce((best, one) => (one.length < best.length ? one : best), each[0] ?? [])
}
