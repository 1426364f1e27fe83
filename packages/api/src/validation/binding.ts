import type { Binding } from '../types/core/v1.ts'
import { textOf } from './common.ts'
import { notSupported, required } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'
import type { KindValidation } from './kind.ts'

export const bindingValidation: KindValidation<Binding> = {
  namespaced: true,
  virtual: true,
  create({ target }) {
    const errors: FieldError[] = []
    const kind = textOf(target?.kind)
    if (kind !== '' && kind !== 'Node') errors.push(notSupported('target.kind', kind, ['Node', '<empty>']))
    if (textOf(target?.name) === '') errors.push(required('target.name'))
    return errors
  },
}
