import type { APIService } from '../types/apiregistration/v1.ts'
import { checkFormat, checkPort, textOf } from './common.ts'
import { invalid, notSupported, required } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'
import { dns1035Label, dns1123Subdomain, pathSegmentName } from './formats.ts'
import type { KindValidation } from './kind.ts'
import { checkMeta, checkMetaUpdate } from './object-meta.ts'

const conditionStatuses = ['True', 'False', 'Unknown']

/** Bytes in base64. */
const sizeOf = (base64: string | undefined): number => Buffer.from(textOf(base64), 'base64').length

function checkService({ metadata, spec }: APIService): FieldError[] {
  const { service, insecureSkipTLSVerify = false, caBundle, groupPriorityMinimum = 0, versionPriority = 0 } = spec ?? {}
  const group = textOf(spec?.group)
  const version = textOf(spec?.version)
  const wanted = `${version}.${group}`
  const bundle = sizeOf(caBundle)
  const errors = [
    ...checkMeta(metadata, false, (name) => {
      const problems = pathSegmentName(name)
      return problems.length > 0 || name === wanted ? problems : [`must be \`spec.version+"."+spec.group\`: ${JSON.stringify(wanted)}`]
    }),
    ...(group === '' && version !== 'v1' ? [required('spec.group', 'only v1 may have an empty group and it better be legacy kube')] : []),
    ...(group === '' ? [] : checkFormat('spec.group', group, dns1123Subdomain)),
    ...checkFormat('spec.version', version, dns1035Label),
    ...(groupPriorityMinimum <= 0 || groupPriorityMinimum > 20000 ? [invalid('spec.groupPriorityMinimum', groupPriorityMinimum, 'must be positive and less than 20000')] : []),
    ...(versionPriority <= 0 || versionPriority > 1000 ? [invalid('spec.versionPriority', versionPriority, 'must be positive and less than 1000')] : []),
  ]
  if (!service) {
    if (bundle > 0) errors.push(invalid('spec.caBundle', `${bundle} bytes`, 'local APIServices may not have a caBundle'))
    if (insecureSkipTLSVerify) errors.push(invalid('spec.insecureSkipTLSVerify', true, 'local APIServices may not have insecureSkipTLSVerify'))
    return errors
  }
  if (textOf(service.namespace) === '') errors.push(required('spec.service.namespace'))
  if (textOf(service.name) === '') errors.push(required('spec.service.name'))
  errors.push(...checkPort('spec.service.port', service.port ?? 0).map((error) => ({ ...error, detail: `port is not valid: ${error.detail}` })))
  if (insecureSkipTLSVerify && bundle > 0) errors.push(invalid('spec.insecureSkipTLSVerify', true, 'may not be true if caBundle is present'))
  return errors
}

function checkStatus({ status }: APIService): FieldError[] {
  return (status?.conditions ?? []).flatMap((condition, i) =>
    (conditionStatuses.includes(condition.status) ? [] : [notSupported(`status.conditions[${i}].status`, condition.status, conditionStatuses)]))
}

export const apiServiceValidation: KindValidation<APIService> = {
  namespaced: false,
  create: checkService,
  update: (object, old, subresource) => [...checkMetaUpdate(object.metadata, old.metadata), ...(subresource === 'status' ? checkStatus(object) : checkService(object))],
}
