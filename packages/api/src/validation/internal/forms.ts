import { isRecord } from '../common.ts'
import { internalTypes } from './types.ts'

/**
 * How upstream's server holds an object in memory: fields by their Go names, in the order of the type, zero values written out. Error messages and diffs show objects
 * in this form.
 */
export function toInternal(type: string, value: unknown): unknown {
  const fields = internalTypes[type]
  if (!fields) return value ?? null
  const object = isRecord(value) ? value : {}
  return Object.fromEntries(parseFields(fields).map(({ go, json, kind }) => [go, internalValue(kind, valueAt(object, json))]))
}

/** The way back: an object by its JSON names, from one by its Go names; what is null or empty is left out. */
export function fromInternal(type: string, value: unknown): unknown {
  const fields = internalTypes[type]
  if (!fields || !isRecord(value)) return value
  return Object.fromEntries(parseFields(fields).map(({ go, json, kind }) => [json, fromInternalValue(kind, value[go])]).filter(([, item]) => item !== undefined))
}

function fromInternalValue(kind: string, value: unknown): unknown {
  if (value === null || value === undefined) return undefined
  if (kind.startsWith('[]')) return Array.isArray(value) ? value.map((item) => fromInternalValue(kind.slice(2), item)) : undefined
  return fromInternal(kind.replace(/^\*/, ''), value)
}

interface InternalField {
  readonly go: string
  readonly json: string
  readonly kind: string
}

const parsed = new Map<string, readonly InternalField[]>()

/** Reads `Name Ports:[]ContainerPort HostPID=hostPID:bool`: Go name, JSON name (default: first letter lowered), kind (default: string). */
function parseFields(text: string): readonly InternalField[] {
  let fields = parsed.get(text)
  if (!fields) {
    fields = text.trim().split(/\s+/).map((word) => {
      const [names = '', kind = 'string'] = word.split(':')
      const [go = '', json] = names.split('=')
      return { go, json: json ?? go.charAt(0).toLowerCase() + go.slice(1), kind }
    })
    parsed.set(text, fields)
  }
  return fields
}

/** The empty path is the object itself (an embedded struct), `/x` is a field of the whole object's other part, given by its caller. */
function valueAt(object: Record<string, unknown>, json: string): unknown {
  return json === '.' ? object : json.split('/').reduce<unknown>((at, part) => (isRecord(at) ? at[part] : undefined), object)
}

/** Kinds: string, int, bool and quantity have zero values; `*x`, `[]x`, `{}x` are null when absent; any other name is a struct by value. */
function internalValue(kind: string, value: unknown): unknown {
  switch (kind) {
    case 'string': return value ?? ''
    case 'int': return value ?? 0
    case 'bool': return value ?? false
    case 'quantity': return value ?? '0'
    case 'any': return value ?? null
  }
  if (kind.startsWith('*')) return value === undefined || value === null ? null : internalValue(kind.slice(1), value)
  if (kind.startsWith('[]')) return Array.isArray(value) ? value.map((item) => internalValue(kind.slice(2), item)) : null
  if (kind.startsWith('{}')) return isRecord(value) ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, item]) => [key, internalValue(kind.slice(2), item)])) : null
  return toInternal(kind, value)
}
