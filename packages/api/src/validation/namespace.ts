import type { Namespace } from '../types/core/v1.ts'
import { textOf } from './common.ts'
import { invalid } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'
import type { KindValidation } from './kind.ts'
import { checkFinalizerName, checkMeta, checkMetaUpdate, nameIsDnsLabel } from './object-meta.ts'

export const namespaceValidation: KindValidation<Namespace> = {
  namespaced: false,
  create: checkNamespace,
  update(namespace, old, subresource) {
    const errors = checkMetaUpdate(namespace.metadata, old.metadata)
    if (subresource === 'status') return [...errors, ...checkPhase(namespace)]
    if (subresource === 'finalize') return [...errors, ...(namespace.spec?.finalizers ?? []).flatMap((finalizer, i) => checkFinalizerName(`spec.finalizers[${i}]`, finalizer))]
    return [...checkNamespace(namespace), ...errors]
  },
}

function checkNamespace({ metadata, spec }: Namespace): FieldError[] {
  return [...checkMeta(metadata, false, nameIsDnsLabel), ...(spec?.finalizers ?? []).flatMap((finalizer) => checkFinalizerName('spec.finalizers', finalizer))]
}

/** A namespace is Active until it is being deleted, then Terminating. */
function checkPhase({ metadata, status }: Namespace): FieldError[] {
  const phase = textOf(status?.phase)
  const want = metadata.deletionTimestamp === undefined ? 'Active' : 'Terminating'
  if (phase === want) return []
  return [invalid('status.Phase', phase, `may only be '${want}' if \`deletionTimestamp\` is ${want === 'Active' ? 'empty' : 'not empty'}`)]
}
