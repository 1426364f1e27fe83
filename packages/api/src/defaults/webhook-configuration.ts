import type {
  MatchResources, MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding, MutatingWebhookConfiguration, RuleWithOperations, ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding,
  ValidatingWebhook, ValidatingWebhookConfiguration,
} from '../types/admissionregistration/v1.ts'

function defaultRules(rules: readonly RuleWithOperations[] | undefined): void {
  for (const rule of rules ?? []) rule.scope ??= '*'
}

function defaultWebhook(hook: Pick<ValidatingWebhook, 'failurePolicy' | 'matchPolicy' | 'namespaceSelector' | 'objectSelector' | 'timeoutSeconds' | 'clientConfig' | 'rules'>): void {
  hook.failurePolicy ??= 'Fail'
  hook.matchPolicy ??= 'Equivalent'
  hook.namespaceSelector ??= {}
  hook.objectSelector ??= {}
  hook.timeoutSeconds ??= 10
  if (hook.clientConfig?.service) hook.clientConfig.service.port ??= 443
  defaultRules(hook.rules)
}

function defaultMatchResources(match: MatchResources | undefined): void {
  if (!match) return
  match.matchPolicy ??= 'Equivalent'
  match.namespaceSelector ??= {}
  match.objectSelector ??= {}
  defaultRules(match.resourceRules)
  defaultRules(match.excludeResourceRules)
}

export function defaultValidatingWebhooks({ webhooks }: ValidatingWebhookConfiguration): void {
  for (const hook of webhooks ?? []) defaultWebhook(hook)
}

export function defaultMutatingWebhooks({ webhooks }: MutatingWebhookConfiguration): void {
  for (const hook of webhooks ?? []) {
    defaultWebhook(hook)
    hook.reinvocationPolicy ??= 'Never'
  }
}

export function defaultAdmissionPolicy({ spec }: ValidatingAdmissionPolicy | MutatingAdmissionPolicy): void {
  if (!spec) return
  spec.failurePolicy ??= 'Fail'
  defaultMatchResources(spec.matchConstraints)
}

export function defaultAdmissionPolicyBinding({ spec }: ValidatingAdmissionPolicyBinding | MutatingAdmissionPolicyBinding): void {
  defaultMatchResources(spec?.matchResources)
}
