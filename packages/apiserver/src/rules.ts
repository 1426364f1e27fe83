import * as api from '@berth/api'
interface Gvk { group: string, version: string, kind: string }
export type FieldErrorT = { type: string, field: string, badValue?: unknown, detail: string }
const rules = api as unknown as Record<string, ((...args: never[]) => unknown) | undefined>
function or<T>(name: string, fallback: T): T { return (rules[name] as T | undefined) ?? fallback }
export const applyDefaults: (gvk: Gvk, o: unknown) => void = or('applyDefaults', () => {})
export const validateCreate: (gvk: Gvk, o: unknown) => never[] = or('validateCreate', () => [])
export const validateUpdate: (gvk: Gvk, o: unknown, old: unknown, sub?: string) => never[] = or('validateUpdate', () => [])
export const tableColumns: (gvk: Gvk) => unknown[] = or('tableColumns', () => [{ name: 'Name', type: 'string', format: 'name', description: '', priority: 0 }])
export const tableCells: (gvk: Gvk, o: { metadata: { name: string } }, now: Date) => unknown[] = or('tableCells', (_: Gvk, o: { metadata: { name: string } }) => [o.metadata.name])
export const fieldErrorMessage: (e: FieldErrorT) => string = or('fieldErrorMessage', (e: FieldErrorT) => `${e.field}: ${e.type}: ${e.detail}`)
export const statusCauses: (e: FieldErrorT[]) => { reason: string, message: string, field: string }[] = or('statusCauses', (e: FieldErrorT[]) => e.map((x) => ({ reason: x.type, message: x.detail, field: x.field })))
