import type { MutatingWebhook, MutatingWebhookConfiguration, ValidatingWebhook, ValidatingWebhookConfiguration } from '../types/admissionregistration/v1.ts'
import { checkMatchConditions, checkRule, failurePolicies, matchPolicies } from './admission/rules.ts'
import { sameValue, textOf } from './common.ts'
import { duplicate, invalid, notSupported, required } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'
import { dns1035Label, dns1123Subdomain } from './formats.ts'
import type { KindValidation } from './kind.ts'
import { checkLabelSelector } from './label-selector.ts'
import { checkMeta, nameIsDnsSubdomain } from './object-meta.ts'
import { checkWebhookService, checkWebhookUrl } from './webhook-client.ts'

type Configuration = ValidatingWebhookConfiguration | MutatingWebhookConfiguration
type Webhook = ValidatingWebhook & Pick<MutatingWebhook, 'reinvocationPolicy'>

/** What an update need not hold to, where the stored object does not either. */
interface Leniency {
  readonly sideEffects: boolean
  readonly reviewVersions: boolean
  readonly names: boolean
  readonly labelValues: boolean
}

const quietEffects = ['None', 'NoneOnDryRun']
const sideEffects = ['None', 'NoneOnDryRun', 'Some', 'Unknown']
const reinvocations = ['IfNeeded', 'Never']
const reviewVersions = ['v1', 'v1beta1']

function checkName(field: string, name: string): FieldError[] {
  if (name === '') return [required(field)]
  const problems = dns1123Subdomain(name)
  if (problems.length > 0) return [invalid(field, name, problems.join(','))]
  return name.split('.').length < 3 ? [invalid(field, name, 'should be a domain with at least three segments separated by dots')] : []
}

function checkClient(client: Webhook['clientConfig'] | undefined, at: string): FieldError[] {
  const { url, service } = client ?? {}
  if ((url === undefined) === (service === undefined)) return [required(at, 'exactly one of url or service is required')]
  return url === undefined ? checkWebhookService(`${at}.service`, service ?? {}) : checkWebhookUrl(`${at}.url`, url)
}

function checkReviewVersions(versions: readonly string[], lenient: boolean, field: string): FieldError[] {
  if (versions.length === 0) return [required(field, `must specify one of ${reviewVersions.join(', ')}`)]
  const errors = versions.flatMap((version, i) => {
    if (versions.indexOf(version) < i) return [invalid(`${field}[${i}]`, version, 'duplicate version')]
    return dns1035Label(version).map((problem) => invalid(`${field}[${i}]`, version, problem))
  })
  if (!lenient && !versions.some((version) => reviewVersions.includes(version))) errors.push(invalid(field, versions, `must include at least one of ${reviewVersions.join(', ')}`))
  return errors
}

function checkOf(field: string, value: string | undefined, supported: readonly string[]): FieldError[] {
  return value === undefined || supported.includes(value) ? [] : [notSupported(field, value, supported)]
}

function checkWebhook(hook: Webhook, at: string, lenient: Leniency, sameConditions: boolean): FieldError[] {
  const { timeoutSeconds } = hook
  const effects = lenient.sideEffects ? sideEffects : quietEffects
  const given = textOf(hook.sideEffects ?? undefined)
  return [
    ...checkName(`${at}.name`, textOf(hook.name)),
    ...(hook.rules ?? []).flatMap((rule, i) => checkRule(rule, `${at}.rules[${i}]`)),
    ...checkOf(`${at}.failurePolicy`, hook.failurePolicy, failurePolicies),
    ...checkOf(`${at}.matchPolicy`, hook.matchPolicy, matchPolicies),
    ...(given === '' ? [required(`${at}.sideEffects`, `must specify one of ${effects.join(', ')}`)] : checkOf(`${at}.sideEffects`, given, effects)),
    ...(timeoutSeconds !== undefined && (timeoutSeconds > 30 || timeoutSeconds < 1) ? [invalid(`${at}.timeoutSeconds`, timeoutSeconds, 'the timeout value must be between 1 and 30 seconds')] : []),
    ...checkLabelSelector(`${at}.namespaceSelector`, hook.namespaceSelector, lenient.labelValues),
    ...checkLabelSelector(`${at}.objectSelector`, hook.objectSelector, lenient.labelValues),
    ...checkOf(`${at}.reinvocationPolicy`, hook.reinvocationPolicy, reinvocations),
    ...checkClient(hook.clientConfig, `${at}.clientConfig`),
    ...(sameConditions ? [] : checkMatchConditions(hook.matchConditions, `${at}.matchConditions`)),
    ...checkReviewVersions(hook.admissionReviewVersions ?? [], lenient.reviewVersions, `${at}.admissionReviewVersions`),
  ]
}

const strict: Leniency = { sideEffects: false, reviewVersions: false, names: false, labelValues: false }

/** What the stored object gets away with. */
function leniencyOf({ webhooks = [] }: Configuration): Leniency {
  const names = webhooks.map(({ name }) => name)
  return {
    sideEffects: webhooks.some((hook) => !quietEffects.includes(textOf(hook.sideEffects ?? undefined))),
    reviewVersions: webhooks.some(({ admissionReviewVersions: versions = [] }) => versions.length > 0 && !versions.some((version) => reviewVersions.includes(version))),
    names: new Set(names).size < names.length,
    labelValues: webhooks.some((hook) => checkLabelSelector('', hook.namespaceSelector).length + checkLabelSelector('', hook.objectSelector).length > 0),
  }
}

function checkConfiguration({ metadata, webhooks }: Configuration, old?: Configuration): FieldError[] {
  const hooks: readonly Webhook[] = webhooks ?? []
  const before = old?.webhooks ?? []
  const lenient = old ? leniencyOf(old) : strict
  const same = old !== undefined && hooks.length === before.length && hooks.every((hook, i) => sameValue(hook.matchConditions, before[i]?.matchConditions))
  const names = hooks.map(({ name }) => name)
  return [
    ...checkMeta(metadata, false, nameIsDnsSubdomain),
    ...hooks.flatMap((hook, i) => {
      const repeated = !lenient.names && textOf(hook.name) !== '' && names.indexOf(hook.name) < i
      return [...checkWebhook(hook, `webhooks[${i}]`, lenient, same), ...(repeated ? [duplicate(`webhooks[${i}].name`, hook.name)] : [])]
    }),
  ]
}

export const webhookConfigurationValidation: KindValidation<Configuration> = { namespaced: false, create: (object) => checkConfiguration(object), update: (object, old) => checkConfiguration(object, old) }
