import type { Scale } from '../types/autoscaling/v1.ts'
import { checkNonNegative } from './common.ts'
import type { KindValidation } from './kind.ts'
import { checkMeta, nameIsDnsSubdomain } from './object-meta.ts'

const checkScale = (scale: Scale) => [...checkMeta(scale.metadata, true, nameIsDnsSubdomain), ...checkNonNegative('spec.replicas', scale.spec?.replicas)]

/** The scale of a workload; its metadata is the workload's. */
export const scaleValidation: KindValidation<Scale> = { namespaced: true, virtual: true, create: checkScale, update: checkScale }
