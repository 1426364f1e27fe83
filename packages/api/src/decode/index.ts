export { decode } from './decode.ts'
export type { Decoded, FieldValidation } from './decode.ts'
export { DecodeError } from './errors.ts'
export { normalize } from './normalize.ts'
