import type { ControllerRevision } from '../types/apps/v1.ts'
import { checkNonNegative, isRecord, sameValue } from './common.ts'
import { invalid, required } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'
import type { KindValidation } from './kind.ts'
import { checkMeta, checkMetaUpdate, nameIsDnsSubdomain } from './object-meta.ts'

const check = (revision: ControllerRevision): FieldError[] => [...checkMeta(revision.metadata, true, nameIsDnsSubdomain), ...checkNonNegative('revision', revision.revision)]

/** New revisions hold an object. */
function checkData(data: unknown): FieldError[] {
  if (data === undefined || data === null) return [required('data', 'data is mandatory')]
  return isRecord(data) ? [] : [required('data', 'data must be a valid JSON object')]
}

export const controllerRevisionValidation: KindValidation<ControllerRevision> = {
  namespaced: true,
  create: (revision) => [...check(revision), ...checkData(revision.data)],
  update: (revision, old) => [
    ...checkMetaUpdate(revision.metadata, old.metadata),
    ...check(revision),
    ...(sameValue(revision.data, old.data) ? [] : [invalid('data', revision.data ?? null, 'field is immutable')]),
  ],
}
