import type { Eviction } from '../types/policy/v1.ts'
import type { KindValidation } from './kind.ts'

/** An eviction names its pod; the pod's own rules are those of deletion. */
export const evictionValidation: KindValidation<Eviction> = { namespaced: true, virtual: true, create: () => [] }
