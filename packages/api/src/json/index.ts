export { JsonSyntaxError, formatPath, parseJson } from './parse.ts'
export type { ParsedJson } from './parse.ts'
export { stringifyJson } from './stringify.ts'
