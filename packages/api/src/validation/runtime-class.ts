import type { RuntimeClass } from '../types/node/v1.ts'
import { checkImmutable, sameValue, textOf } from './common.ts'
import { duplicate, invalid, required } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'
import { dns1123Label } from './formats.ts'
import type { KindValidation } from './kind.ts'
import { checkLabels, checkMeta, checkMetaUpdate, nameIsDnsSubdomain } from './object-meta.ts'
import { checkResources } from './pod/resources.ts'
import { checkTolerations } from './pod/scheduling.ts'

function checkClass({ metadata, handler, overhead, scheduling }: RuntimeClass): FieldError[] {
  const name = textOf(handler)
  const tolerations = scheduling?.tolerations ?? []
  // Seconds do not tell tolerations apart.
  const keys = tolerations.map(({ key = '', operator = '', value = '', effect = '' }) => [key, operator, value, effect])
  return [
    ...checkMeta(metadata, false, nameIsDnsSubdomain),
    ...(name === '' ? [required('handler')] : dns1123Label(name).map((problem) => invalid('handler', name, problem))),
    ...(overhead?.podFixed ? checkResources('overhead', { limits: overhead.podFixed }, new Set()) : []),
    ...checkLabels('scheduling.nodeSelector', scheduling?.nodeSelector),
    ...checkTolerations(tolerations, 'scheduling.tolerations'),
    ...tolerations.flatMap((toleration, i) => (keys.slice(0, i).some((key) => sameValue(key, keys[i])) ? [duplicate(`scheduling.tolerations[${i}]`, toleration)] : [])),
  ]
}

export const runtimeClassValidation: KindValidation<RuntimeClass> = {
  namespaced: false,
  create: checkClass,
  update: (object, old) => [...checkClass(object), ...checkMetaUpdate(object.metadata, old.metadata), ...checkImmutable('handler', textOf(object.handler), textOf(old.handler))],
}
