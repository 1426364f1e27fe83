import { duplicate, tooMany } from '../field-errors.ts'
import type { FieldError } from '../field-errors.ts'

/** A list that may not have more than so many items; an over-long one is not looked into. */
export function checkList<T>(field: string, list: readonly T[] | undefined, limit: number, check: (item: T, at: string) => FieldError[]): FieldError[] {
  if (!list) return []
  if (limit >= 0 && list.length > limit) return [tooMany(field, list.length, limit)]
  return list.flatMap((item, i) => check(item, `${field}[${i}]`))
}

/** A list in which each key stands once. */
export function checkSet<T>(field: string, list: readonly T[] | undefined, limit: number, check: (item: T, at: string) => FieldError[], keyOf: (item: T) => string): FieldError[] {
  const errors = checkList(field, list, limit, check)
  if (!list || (limit >= 0 && list.length > limit)) return errors
  const seen = new Set<string>()
  list.forEach((item, i) => {
    const key = keyOf(item)
    if (seen.has(key)) errors.push(duplicate(`${field}[${i}]`, key))
    seen.add(key)
  })
  return errors
}
