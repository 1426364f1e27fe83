// MutatingAdmissionWebhook and ValidatingAdmissionWebhook (kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers).
import { admissionregistration, jsonPatch, PatchError } from '@berth/api'
import type { Json } from '@berth/api'
import type { MutatingWebhook, ValidatingWebhook } from '@berth/api/types/admissionregistration/v1'
import { StatusError } from '../../errors.ts'
import type { AdmissionAttributes, AdmissionPlugin, Authorizer, ResourceStore } from '../../interfaces.ts'
import { equalValues } from '../../registry/values.ts'
import { conditionsHold, requestVariables } from './conditions.ts'
import { isMeant } from './matching.ts'
import { Reinvocation } from './reinvocation.ts'
import { readBack, replaceInPlace } from './request.ts'
import { callWebhook } from './webhook-call.ts'
import type { WebhookAnswer } from './webhook-call.ts'

type Webhook = ValidatingWebhook | MutatingWebhook

const configurations = new Set(['validatingwebhookconfigurations', 'mutatingwebhookconfigurations', 'validatingadmissionpolicies', 'validatingadmissionpolicybindings', 'mutatingadmissionpolicies', 'mutatingadmissionpolicybindings'])

/** Asks mutating webhooks one after the other, in the order of their configurations' names; those that want it a second time where the object changed after their turn. */
export function mutatingAdmissionWebhook(store: ResourceStore, authorizer: Authorizer): AdmissionPlugin {
  return {
    name: 'MutatingAdmissionWebhook',
    handles: () => true,
    async admit(attributes) {
      if (isConfiguration(attributes)) return
      const webhooks = store.list(admissionregistration.mutatingwebhookconfigurations).flatMap(({ metadata, webhooks: each = [] }) => each.map((webhook) => ({ key: `${metadata.name}/${webhook.name}`, webhook })))
      if (webhooks.length === 0) return
      const reinvocation = Reinvocation.begin('MutatingAdmissionWebhook', attributes)
      for (const { key, webhook } of webhooks) {
        if (!reinvocation.isDue(key)) continue
        const changed = await mutate(webhook, attributes, store, authorizer)
        if (changed === undefined) continue
        if (changed) reinvocation.changed()
        if (webhook.reinvocationPolicy === 'IfNeeded') reinvocation.mayRunAgain(key)
      }
      reinvocation.end()
    },
  }
}

/** Asks validating webhooks all at once; the first refusal is the answer. */
export function validatingAdmissionWebhook(store: ResourceStore, authorizer: Authorizer): AdmissionPlugin {
  return {
    name: 'ValidatingAdmissionWebhook',
    handles: () => true,
    async validate(attributes) {
      if (isConfiguration(attributes)) return
      const webhooks = store.list(admissionregistration.validatingwebhookconfigurations).flatMap(({ webhooks: each = [] }) => each)
      const results = await Promise.allSettled(webhooks.map((webhook) => ask(webhook, attributes, store, authorizer)))
      for (const result of results) if (result.status === 'rejected') throw result.reason
    },
  }
}

/** Nobody can lock himself out of changing the configurations. */
function isConfiguration({ resource }: AdmissionAttributes): boolean {
  return resource.group === 'admissionregistration.k8s.io' && configurations.has(resource.resource)
}

/** Whether the webhook changed the object; undefined where it was not asked. */
async function mutate(webhook: MutatingWebhook, attributes: AdmissionAttributes, store: ResourceStore, authorizer: Authorizer): Promise<boolean | undefined> {
  const answer = await ask(webhook, attributes, store, authorizer)
  if (!answer) return undefined
  if (answer.patch === undefined || !attributes.object) return false
  let patched: unknown
  try {
    const result = jsonPatch(attributes.object, answer.patch as Json)
    patched = readBack(attributes, result)
  } catch (error) {
    if (!(error instanceof PatchError) && !(error instanceof Error)) throw error
    throw new StatusError(500, 'InternalError', `Internal error occurred: ${error.message}`, undefined, { cause: error })
  }
  if (equalValues(patched, attributes.object)) return false
  replaceInPlace(attributes.object, patched as NonNullable<AdmissionAttributes['object']>)
  return true
}

/** Asks a webhook about a request that is meant for it; undefined where it is not, or failed and may. Throws its refusal. */
async function ask(webhook: Webhook, attributes: AdmissionAttributes, store: ResourceStore, authorizer: Authorizer): Promise<WebhookAnswer | undefined> {
  const { rules = [], namespaceSelector, objectSelector, matchPolicy, failurePolicy, name } = webhook
  if (!isMeant({ rules, namespaceSelector, objectSelector, exact: matchPolicy === 'Exact' }, attributes, store)) return undefined
  const ignores = failurePolicy === 'Ignore'
  const conditions = conditionsHold(webhook.matchConditions, () => requestVariables(attributes, store, authorizer), false)
  if (conditions.error !== undefined && !ignores) throw new StatusError(403, 'Forbidden', `${attributes.resource.resource} ${JSON.stringify(attributes.name)} is forbidden: ${conditions.error}`)
  if (!conditions.holds) return undefined
  if (attributes.dryRun && webhook.sideEffects !== 'None' && webhook.sideEffects !== 'NoneOnDryRun') throw new StatusError(400, 'BadRequest', `admission webhook ${JSON.stringify(name)} does not support dry run`)
  let answer: WebhookAnswer
  try {
    answer = await callWebhook(webhook, attributes, store)
  } catch (error) {
    if (ignores) return undefined
    throw new StatusError(500, 'InternalError', `Internal error occurred: failed calling webhook ${JSON.stringify(name)}: ${(error as Error).message}`, { causes: [{ message: `failed calling webhook ${JSON.stringify(name)}: ${(error as Error).message}` }] } as never, { cause: error })
  }
  for (const warning of answer.warnings) attributes.warn(warning)
  if (!answer.allowed) throw refusal(name, answer)
  return answer
}

function refusal(name: string, { status }: WebhookAnswer): StatusError {
  const head = `admission webhook ${JSON.stringify(name)} denied the request`
  const message = status?.message ? `${head}: ${status.message}` : status?.reason ? `${head}: ${status.reason}` : `${head} without explanation`
  const code = status?.code !== undefined && status.code >= 400 && status.code < 600 ? status.code : 403
  return new StatusError(code, status?.reason ?? (code === 403 ? 'Forbidden' : ''), message)
}
