import { checkRequiredOneOf } from '../common.ts'
import type { FieldError } from '../field-errors.ts'

/** When an image is pulled. */
export const checkPullPolicy = (field: string, policy: string | undefined): FieldError[] => checkRequiredOneOf(field, policy, ['Always', 'IfNotPresent', 'Never'])
