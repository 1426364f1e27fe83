import type { IPAddress } from '../types/networking/v1.ts'
import { nameColumn } from './column.ts'
import type { KindTable } from './column.ts'

function parent({ spec }: IPAddress): string {
  const ref = spec?.parentRef
  if (!ref) return '<none>'
  const resource = ref.group ? `${ref.resource}.${ref.group}` : ref.resource
  return [(resource ?? '').toLowerCase(), ref.namespace, ref.name].filter(Boolean).join('/')
}

export const ipAddressTable: KindTable<IPAddress> = {
  columns: [nameColumn, { name: 'ParentRef', description: ['networking/v1', 'IPAddressSpec', 'parentRef'] }],
  cells: (address) => [address.metadata.name, parent(address)],
}
