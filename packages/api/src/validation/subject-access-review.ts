import type { LocalSubjectAccessReview, SelfSubjectAccessReview, SelfSubjectRulesReview, SubjectAccessReview } from '../types/authorization/v1.ts'
import type { ObjectMeta } from '../types/meta/v1.ts'
import { textOf } from './common.ts'
import { invalid } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'
import { toInternal } from './internal/forms.ts'
import type { KindValidation } from './kind.ts'

type Attributes = Pick<SubjectAccessReview['spec'], 'resourceAttributes' | 'nonResourceAttributes'>

function checkAttributes(spec: Attributes | undefined): FieldError[] {
  const paths = spec?.nonResourceAttributes
  if (spec?.resourceAttributes && paths) return [invalid('spec.nonResourceAttributes', toInternal('NonResourceAttributes', paths), 'cannot be specified in combination with resourceAttributes')]
  if (!spec?.resourceAttributes && !paths) return [invalid('spec.resourceAttributes', null, 'exactly one of nonResourceAttributes or resourceAttributes must be specified')]
  return []
}

const checkSubject = (spec: SubjectAccessReview['spec'] | undefined): FieldError[] =>
  textOf(spec?.user) === '' && !spec?.groups?.length ? [invalid('spec.user', '', 'at least one of user or group must be specified')] : []

/** Reviews are not stored: they have no metadata, a local one but its namespace. */
function checkNoMeta(meta: ObjectMeta | undefined, but: readonly string[], detail: string): FieldError[] {
  const isSet = Object.entries(meta ?? {}).some(([name, value]) => value !== undefined && value !== '' && name !== 'managedFields' && !but.includes(name))
  return isSet ? [invalid('metadata', meta, detail)] : []
}

export const subjectAccessReviewValidation: KindValidation<SubjectAccessReview> = {
  namespaced: false,
  virtual: true,
  create: ({ spec, metadata }) => [...checkAttributes(spec), ...checkSubject(spec), ...checkNoMeta(metadata, [], 'must be empty')],
}

export const selfSubjectAccessReviewValidation: KindValidation<SelfSubjectAccessReview> = {
  namespaced: false,
  virtual: true,
  create: ({ spec, metadata }) => [...checkAttributes(spec), ...checkNoMeta(metadata, [], 'must be empty')],
}

export const localSubjectAccessReviewValidation: KindValidation<LocalSubjectAccessReview> = {
  namespaced: true,
  virtual: true,
  create({ spec, metadata }) {
    const errors = [...checkAttributes(spec), ...checkSubject(spec), ...checkNoMeta(metadata, ['namespace'], 'must be empty except for namespace')]
    const about = textOf(spec?.resourceAttributes?.namespace)
    if (spec?.resourceAttributes && about !== textOf(metadata?.namespace)) errors.push(invalid('spec.resourceAttributes.namespace', about, 'must match metadata.namespace'))
    if (spec?.nonResourceAttributes) errors.push(invalid('spec.nonResourceAttributes', toInternal('NonResourceAttributes', spec.nonResourceAttributes), 'disallowed on this kind of request'))
    return errors
  },
}

export const selfSubjectRulesReviewValidation: KindValidation<SelfSubjectRulesReview> = { namespaced: false, virtual: true, create: () => [] }
