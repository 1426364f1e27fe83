import { forbidden, notSupported } from '../field-errors.ts'
import type { FieldError } from '../field-errors.ts'

const accessModes = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod']

export const volumeModes = ['Block', 'Filesystem']

/** Access modes of a volume or claim: known ones; one pod's alone stands alone. */
export function checkAccessModes(field: string, modes: readonly string[] | undefined): FieldError[] {
  const errors = (modes ?? []).filter((mode) => !accessModes.includes(mode)).map((mode) => notSupported(field, mode, accessModes))
  if (modes?.includes('ReadWriteOncePod') && modes.some((mode) => mode !== 'ReadWriteOncePod' && accessModes.includes(mode))) {
    errors.push(forbidden(field, 'may not use ReadWriteOncePod with other access modes'))
  }
  return errors
}
