import type { Backend } from './backend.ts'
import { hostGw } from './host-gw.ts'

/** Every backend: one line each. */
const backends: readonly Backend[] = [hostGw]

export function backendTypes(): string[] {
  return backends.map((backend) => backend.type)
}

/** The backend of this type; undefined if there is none. */
export function findBackend(type: string): Backend | undefined {
  return backends.find((backend) => backend.type === type)
}
