import type { ClusterRoleBinding, RoleBinding, Subject } from '../types/rbac/v1.ts'
import { checkFormat, child, sameValue, textOf } from './common.ts'
import { invalid, notSupported, required } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'
import { dns1123Subdomain, pathSegmentName } from './formats.ts'
import { toInternal } from './internal/forms.ts'
import type { KindValidation } from './kind.ts'
import { checkMeta, checkMetaUpdate, nameIsPathSegment } from './object-meta.ts'

const group = 'rbac.authorization.k8s.io'

function checkSubject(subject: Subject, at: string, namespaced: boolean): FieldError[] {
  const { kind = '', name = '', apiGroup = '' } = subject
  const errors: FieldError[] = name === '' ? [required(child(at, 'name'))] : []
  switch (kind) {
    case 'ServiceAccount':
      if (name !== '') errors.push(...checkFormat(child(at, 'name'), name, dns1123Subdomain))
      if (apiGroup !== '') errors.push(notSupported(child(at, 'apiGroup'), apiGroup, ['']))
      if (!namespaced && textOf(subject.namespace) === '') errors.push(required(child(at, 'namespace')))
      return errors
    case 'User': case 'Group':
      if (name === '') errors.push(invalid(child(at, 'name'), name, `${kind.toLowerCase()} name cannot be empty`))
      if (apiGroup !== group) errors.push(notSupported(child(at, 'apiGroup'), apiGroup, [group]))
      return errors
    default:
      return [...errors, notSupported(child(at, 'kind'), kind, ['ServiceAccount', 'User', 'Group'])]
  }
}

function rulesFor(namespaced: boolean): KindValidation<RoleBinding> {
  const roleKinds = namespaced ? ['Role', 'ClusterRole'] : ['ClusterRole']
  const check = ({ metadata, roleRef, subjects }: RoleBinding): FieldError[] => {
    const { apiGroup = '', kind = '', name = '' } = roleRef ?? {}
    const errors = checkMeta(metadata, namespaced, nameIsPathSegment)
    if (apiGroup !== group) errors.push(notSupported('roleRef.apiGroup', apiGroup, [group]))
    if (!roleKinds.includes(kind)) errors.push(notSupported('roleRef.kind', kind, roleKinds))
    errors.push(...(name === '' ? [required('roleRef.name')] : checkFormat('roleRef.name', name, pathSegmentName)))
    subjects?.forEach((subject, i) => errors.push(...checkSubject(subject, `subjects[${i}]`, namespaced)))
    return errors
  }
  return {
    namespaced,
    create: check,
    update: (binding, old) => [
      ...check(binding),
      ...checkMetaUpdate(binding.metadata, old.metadata),
      ...(sameValue(binding.roleRef, old.roleRef) ? [] : [invalid('roleRef', toInternal('RoleRef', binding.roleRef), 'cannot change roleRef')]),
    ],
  }
}

export const roleBindingValidation: KindValidation<RoleBinding> = rulesFor(true)
export const clusterRoleBindingValidation: KindValidation<ClusterRoleBinding> = rulesFor(false)
