import { invalid } from '../field-errors.ts'
import type { FieldError } from '../field-errors.ts'

/** No `..` among a path's elements. */
export function checkNoBacksteps(field: string, path: string): FieldError[] {
  return path.split('/').includes('..') ? [invalid(field, path, "must not contain '..'")] : []
}

/** A relative path without `..`. */
export function checkDescendingPath(field: string, path: string): FieldError[] {
  return [...(path.startsWith('/') ? [invalid(field, path, 'must be a relative path')] : []), ...checkNoBacksteps(field, path)]
}

/** A relative path without `..` that does not start with two dots: the kubelet's own names do. */
export function checkNonReservedPath(field: string, path: string): FieldError[] {
  const reserved = path.startsWith('..') && !path.startsWith('../')
  return [...checkDescendingPath(field, path), ...(reserved ? [invalid(field, path, "must not start with '..'")] : [])]
}

/** A file mode, 0 to 0777; absent is fine. */
export function checkFileMode(field: string, mode: number | undefined): FieldError[] {
  return mode !== undefined && (mode > 0o777 || mode < 0) ? [invalid(field, mode, 'must be a number between 0 and 0777 (octal), both inclusive')] : []
}
