import { authorization } from '@berth/api'
import type { ResourceAttributes, SubjectAccessReviewSpec, SubjectAccessReviewStatus } from '@berth/api/types/authorization/v1'
import { badRequest, StatusError } from '../errors.ts'
import { aggregateMessage, causesOf, type FieldErrorLike } from '../field-errors.ts'
import type { ApiObject, AuthorizationAttributes, Authorizer, UserInfo, VirtualResource } from '../interfaces.ts'

const group = 'authorization.k8s.io'

/** SubjectAccessReview, LocalSubjectAccessReview and SelfSubjectAccessReview: may somebody do something? */
export function accessReviews(authorizer: Authorizer): VirtualResource[] {
  const answer = async (object: ApiObject, spec: SubjectAccessReviewSpec, user: UserInfo): Promise<ApiObject> => {
    const { decision, reason } = await authorizer.authorize(attributesOf(spec, user))
    const status: SubjectAccessReviewStatus = { allowed: decision === 'allow', ...(decision === 'deny' && { denied: true }), ...(reason && { reason }) }
    return { ...object, status }
  }
  return [
    {
      resource: authorization.subjectaccessreviews,
      async create(object) {
        const spec = specOf(object)
        refuseIfInvalid([...validateSpec(spec), ...validateSubject(spec), ...validateMetadata(object, 'must be empty', true)])
        return answer(object, spec, subjectOf(spec))
      },
    },
    {
      resource: authorization.localsubjectaccessreviews,
      async create(object, context) {
        const spec = specOf(object)
        const errors = [...validateSpec(spec), ...validateSubject(spec), ...validateMetadata(object, 'must be empty except for namespace', false)]
        const namespace = spec.resourceAttributes?.namespace ?? ''
        if (spec.resourceAttributes && namespace !== context.namespace) errors.push({ type: 'Invalid', field: 'spec.resourceAttributes.namespace', badValue: namespace, detail: 'must match metadata.namespace' })
        if (spec.nonResourceAttributes) errors.push({ type: 'Invalid', field: 'spec.nonResourceAttributes', badValue: spec.nonResourceAttributes, detail: 'disallowed on this kind of request' })
        refuseIfInvalid(errors)
        if (context.namespace === '') throw badRequest('namespace is required on this type: ')
        return answer(object, spec, subjectOf(spec))
      },
    },
    {
      resource: authorization.selfsubjectaccessreviews,
      async create(object, context) {
        const spec = specOf(object)
        refuseIfInvalid([...validateSpec(spec), ...validateMetadata(object, 'must be empty', true)])
        return answer(object, spec, context.user)
      },
    },
  ]
}

function specOf(object: ApiObject): SubjectAccessReviewSpec {
  return (object['spec'] ?? {}) as SubjectAccessReviewSpec
}

function subjectOf(spec: SubjectAccessReviewSpec): UserInfo {
  return { name: spec.user ?? '', groups: spec.groups ?? [], ...(spec.uid && { uid: spec.uid }), ...(spec.extra && { extra: spec.extra }) }
}

function validateSpec(spec: SubjectAccessReviewSpec): FieldErrorLike[] {
  if (spec.resourceAttributes && spec.nonResourceAttributes) {
    return [{ type: 'Invalid', field: 'spec.nonResourceAttributes', badValue: spec.nonResourceAttributes, detail: 'cannot be specified in combination with resourceAttributes' }]
  }
  if (!spec.resourceAttributes && !spec.nonResourceAttributes) {
    return [{ type: 'Invalid', field: 'spec.resourceAttributes', badValue: null, detail: 'exactly one of nonResourceAttributes or resourceAttributes must be specified' }]
  }
  return []
}

function validateSubject(spec: SubjectAccessReviewSpec): FieldErrorLike[] {
  return spec.user || spec.groups?.length ? [] : [{ type: 'Invalid', field: 'spec.user', badValue: spec.user ?? '', detail: 'at least one of user or group must be specified' }]
}

function validateMetadata(object: ApiObject, detail: string, withNamespace: boolean): FieldErrorLike[] {
  const { managedFields: _m, namespace, creationTimestamp: _c, ...rest } = object.metadata
  const given = Object.values(rest).some((v) => v !== undefined && v !== '') || (withNamespace && (namespace ?? '') !== '')
  return given ? [{ type: 'Invalid', field: 'metadata', badValue: { ...rest, ...(namespace && { namespace }) }, detail }] : []
}

/** Upstream names no kind in these refusals. */
function refuseIfInvalid(errors: FieldErrorLike[]): void {
  if (errors.length > 0) throw new StatusError(422, 'Invalid', `.${group} "" is invalid: ${aggregateMessage(errors)}`, { group, causes: causesOf(errors) })
}

/** What a review asks, as authorizers are asked. */
export function attributesOf(spec: Pick<SubjectAccessReviewSpec, 'resourceAttributes' | 'nonResourceAttributes'>, user: UserInfo): AuthorizationAttributes {
  const none = { namespace: '', apiGroup: '', apiVersion: '', resource: '', subresource: '', name: '', path: '' }
  if (spec.nonResourceAttributes) return { ...none, user, resourceRequest: false, verb: spec.nonResourceAttributes.verb ?? '', path: spec.nonResourceAttributes.path ?? '' }
  const asked = spec.resourceAttributes ?? {}
  return {
    user, resourceRequest: true, path: '', verb: asked.verb ?? '', namespace: asked.namespace ?? '', apiGroup: asked.group ?? '', apiVersion: asked.version ?? '',
    resource: asked.resource ?? '', subresource: asked.subresource ?? '', name: asked.name ?? '', fieldSelector: fieldSelectorOf(asked),
  }
}

function fieldSelectorOf(asked: ResourceAttributes): string {
  if (asked.fieldSelector?.rawSelector) return asked.fieldSelector.rawSelector
  return (asked.fieldSelector?.requirements ?? []).flatMap((r) => (r.operator === 'In' && r.values?.length === 1 ? [`${r.key}=${r.values[0]}`] : [])).join(',')
}
