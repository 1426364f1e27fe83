import { formatLabelSelector } from '../selectors/labels.ts'
import type {
  MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding, MutatingWebhookConfiguration, ParamKind, ParamRef, ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding, ValidatingWebhookConfiguration,
} from '../types/admissionregistration/v1.ts'
import { ageColumn, nameColumn } from './column.ts'
import type { KindTable } from './column.ts'
import { ageOf } from './duration.ts'

const paramKindColumn = { name: 'ParamKind', description: 'ParamKind specifies the kind of resources used to parameterize this policy' }
const paramKindOf = (kind: ParamKind | undefined): string => (kind ? `${kind.apiVersion ?? ''}/${kind.kind ?? ''}` : '<unset>')

/** Whether the parameter's kind has namespaces cannot be told from here. */
function paramOf(param: ParamRef | undefined): string {
  if (param?.name) return `${param.namespace || '*'}/${param.name}`
  return param?.selector ? formatLabelSelector(param.selector) : '<unset>'
}

export const webhookConfigurationTable: KindTable<ValidatingWebhookConfiguration | MutatingWebhookConfiguration> = {
  columns: [nameColumn, { name: 'Webhooks', type: 'integer', description: 'Webhooks indicates the number of webhooks registered in this configuration' }, ageColumn],
  cells: (object, now) => [object.metadata.name, object.webhooks?.length ?? 0, ageOf(object, now)],
}

export const validatingAdmissionPolicyTable: KindTable<ValidatingAdmissionPolicy> = {
  columns: [nameColumn, { name: 'Validations', type: 'integer', description: 'Validations indicates the number of validation rules defined in this configuration' }, paramKindColumn, ageColumn],
  cells: (policy, now) => [policy.metadata.name, policy.spec?.validations?.length ?? 0, paramKindOf(policy.spec?.paramKind), ageOf(policy, now)],
}

export const mutatingAdmissionPolicyTable: KindTable<MutatingAdmissionPolicy> = {
  columns: [nameColumn, { name: 'Mutations', type: 'integer', description: 'Mutation indicates the number of mutations rules defined in this configuration' }, paramKindColumn, ageColumn],
  cells: (policy, now) => [policy.metadata.name, policy.spec?.mutations?.length ?? 0, paramKindOf(policy.spec?.paramKind), ageOf(policy, now)],
}

export const admissionPolicyBindingTable: KindTable<ValidatingAdmissionPolicyBinding | MutatingAdmissionPolicyBinding> = {
  columns: [
    nameColumn,
    { name: 'PolicyName', description: 'PolicyName indicates the policy definition which the policy binding binded to' },
    { name: 'ParamRef', description: 'ParamRef indicates the param resource which sets the configuration param' },
    ageColumn,
  ],
  cells: (binding, now) => [binding.metadata.name, binding.spec?.policyName ?? '', paramOf(binding.spec?.paramRef), ageOf(binding, now)],
}
