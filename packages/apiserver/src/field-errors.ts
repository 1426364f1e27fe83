// Field errors in a Status: the same words as upstream's field.Error. The type is @berth/api's FieldError.
import { fieldErrorMessage, statusCauses } from '@berth/api'
import type { FieldError } from '@berth/api'

export type FieldErrorLike = FieldError

/** `details.causes` of a Status. */
export function causesOf(errors: readonly FieldErrorLike[]): { reason?: string, message?: string, field?: string }[] {
  return statusCauses([...errors])
}

/** One error's words alone, several in brackets without repetition: upstream's utilerrors.Aggregate. */
export function aggregateMessage(errors: readonly FieldErrorLike[]): string {
  const messages = [...new Set(errors.map((e) => fieldErrorMessage(e)))]
  return messages.length === 1 ? messages[0] ?? '' : `[${messages.join(', ')}]`
}
