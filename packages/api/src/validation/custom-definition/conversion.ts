import type { CustomResourceConversion } from '../../types/apiextensions/v1.ts'
import { textOf } from '../common.ts'
import { invalid, notSupported, required } from '../field-errors.ts'
import type { FieldError } from '../field-errors.ts'
import { dns1035Label } from '../formats.ts'
import { checkWebhookService, checkWebhookUrl } from '../webhook-client.ts'

const reviewVersions = ['v1', 'v1beta1']

function checkReviewVersions(versions: readonly string[], requiresKnown: boolean, field: string): FieldError[] {
  if (versions.length === 0) return [required(field)]
  const errors = versions.flatMap((version, i) => {
    if (versions.indexOf(version) < i) return [invalid(`${field}[${i}]`, version, 'duplicate version')]
    return dns1035Label(version).map((problem) => invalid(`${field}[${i}]`, version, problem))
  })
  if (requiresKnown && !versions.some((version) => reviewVersions.includes(version))) errors.push(invalid(field, versions, `must include at least one of ${reviewVersions.join(', ')}`))
  return errors
}

/** Whether the versions a webhook understands hold one that the server speaks; none at all is somebody else's matter. */
export function speaksKnownReview(conversion: CustomResourceConversion | undefined): boolean {
  const versions = conversion?.webhook?.conversionReviewVersions ?? []
  return versions.length === 0 || versions.some((version) => reviewVersions.includes(version))
}

/** How objects become other versions. Paths are those of upstream's internal form, which has no `webhook`. */
export function checkConversion(conversion: CustomResourceConversion | undefined, requiresKnown: boolean): FieldError[] {
  if (!conversion) return []
  const at = 'spec.conversion'
  const strategy = textOf(conversion.strategy)
  const errors = strategy === '' ? [required(`${at}.strategy`)] : strategy === 'None' || strategy === 'Webhook' ? [] : [notSupported(`${at}.strategy`, strategy, ['None', 'Webhook'])]
  const { clientConfig: client, conversionReviewVersions: versions = [] } = conversion.webhook ?? {}
  const field = `${at}.webhookClientConfig`
  if (strategy !== 'Webhook') {
    if (client) errors.push({ type: 'Forbidden', field, detail: 'should not be set when strategy is not set to Webhook' })
    if (versions.length > 0) errors.push({ type: 'Forbidden', field: `${at}.conversionReviewVersions`, detail: 'should not be set when strategy is not set to Webhook' })
    return errors
  }
  if (!client) errors.push(required(field, 'required when strategy is set to Webhook'))
  else if ((client.url === undefined) === (client.service === undefined)) errors.push(required(field, 'exactly one of url or service is required'))
  else if (client.url !== undefined) errors.push(...checkWebhookUrl(`${field}.url`, client.url))
  // Upstream hands name and namespace over in the wrong order here.
  else if (client.service) errors.push(...checkWebhookService(`${field}.service`, { ...client.service, name: client.service.namespace, namespace: client.service.name }))
  return [...errors, ...checkReviewVersions(versions, requiresKnown, `${at}.conversionReviewVersions`)]
}
