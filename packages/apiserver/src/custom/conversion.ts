// Conversion of custom resources between their versions by a webhook: apiextensions.k8s.io/v1 ConversionReview.
import { randomUUID } from 'node:crypto'
import type { CustomResourceDefinition, WebhookConversion as Settings } from '@berth/api/types/apiextensions/v1'
import { postReview, webhookTarget } from '../admission/dynamic/webhook-call.ts'
import { StatusError } from '../errors.ts'
import type { ApiObject, ResourceStore } from '../interfaces.ts'
import type { Conversion } from '../registry/definition.ts'
import { asRecord } from '../registry/values.ts'

const timeoutSeconds = 30

/** How many conversions are kept beyond the object that they were made of, which may be decoded anew. */
const keptVersions = 5000

/** Asks a definition's webhook, once for each version of an object. */
export class WebhookConversion implements Conversion {
  readonly #settings: Settings
  readonly #store: ResourceStore
  readonly #made = new WeakMap<ApiObject, Map<string, ApiObject>>()
  readonly #versions = new Map<string, ApiObject>()

  /** The conversion of a definition; undefined where objects differ in their apiVersion alone. */
  static of({ spec: { conversion } }: CustomResourceDefinition, store: ResourceStore): WebhookConversion | undefined {
    return conversion?.strategy === 'Webhook' && conversion.webhook ? new WebhookConversion(conversion.webhook, store) : undefined
  }

  private constructor(settings: Settings, store: ResourceStore) {
    this.#settings = settings
    this.#store = store
  }

  async prepare(objects: readonly ApiObject[], apiVersion: string, areStored: boolean): Promise<void> {
    const missing = [...new Set(objects)].filter((object) => object.apiVersion !== apiVersion && !this.#known(object, apiVersion, areStored))
    // The webhook is told what it converts from: objects of an older storage version are asked for apart.
    for (const from of new Set(missing.map((object) => object.apiVersion))) await this.#ask(missing.filter((object) => object.apiVersion === from), apiVersion, areStored)
  }

  converted(object: ApiObject, apiVersion: string, isStored: boolean): ApiObject {
    if (object.apiVersion === apiVersion) return object
    const made = this.#known(object, apiVersion, isStored)
    if (!made) throw new Error(`${String(object.kind)} ${object.metadata.name} was not converted to ${apiVersion}`)
    return made
  }

  #known(object: ApiObject, apiVersion: string, isStored: boolean): ApiObject | undefined {
    const version = isStored ? versionOf(object, apiVersion) : undefined
    return this.#made.get(object)?.get(apiVersion) ?? (version === undefined ? undefined : this.#versions.get(version))
  }

  #keep(object: ApiObject, apiVersion: string, isStored: boolean, made: ApiObject): void {
    this.#made.set(object, (this.#made.get(object) ?? new Map<string, ApiObject>()).set(apiVersion, made))
    const version = isStored ? versionOf(object, apiVersion) : undefined
    if (version === undefined) return
    const [oldest] = this.#versions.keys()
    if (this.#versions.size >= keptVersions && oldest !== undefined) this.#versions.delete(oldest)
    this.#versions.set(version, made)
  }

  async #ask(objects: readonly ApiObject[], apiVersion: string, areStored: boolean): Promise<void> {
    const [first] = objects
    const refuse = (why: string, cause?: unknown): StatusError => new StatusError(500, '', `conversion webhook for ${String(first?.apiVersion)}, Kind=${String(first?.kind)} ${why}`, undefined, { cause })
    let answers: readonly unknown[]
    try {
      answers = await this.#call(objects, apiVersion)
    } catch (error) {
      throw refuse(`failed: ${(error as Error).message}`, error)
    }
    if (answers.length !== objects.length) throw refuse(`returned ${answers.length} objects, expected ${objects.length}`)
    for (const [i, object] of objects.entries()) {
      const converted = asRecord(answers[i])
      const problem = problemOf(object, converted, apiVersion)
      if (!converted || problem !== undefined) throw refuse(`returned invalid converted object at index ${i}: ${problem ?? 'it is no object'}`)
      this.#keep(object, apiVersion, areStored, withMetadataOf(object, converted))
    }
  }

  async #call(objects: readonly ApiObject[], desiredAPIVersion: string): Promise<readonly unknown[]> {
    const { clientConfig, conversionReviewVersions } = this.#settings
    const version = conversionReviewVersions.find((each) => each === 'v1' || each === 'v1beta1')
    if (version === undefined || !clientConfig) throw new Error('no supported conversion review versions')
    const uid = randomUUID()
    const apiVersion = `apiextensions.k8s.io/${version}`
    const review = { kind: 'ConversionReview', apiVersion, request: { uid, desiredAPIVersion, objects } }
    const answer = asRecord(JSON.parse(await postReview(webhookTarget(clientConfig, this.#store), clientConfig.caBundle, timeoutSeconds, JSON.stringify(review)))) ?? {}
    // The beta version was never asked for its kind and uid.
    if (version === 'v1' && (answer['kind'] !== 'ConversionReview' || answer['apiVersion'] !== apiVersion)) {
      throw new Error(`expected webhook response of apiextensions.k8s.io/v1, Kind=ConversionReview, got ${String(answer['apiVersion'])}, Kind=${String(answer['kind'])}`)
    }
    const response = asRecord(answer['response'])
    if (!response) throw new Error('no response provided')
    if (version === 'v1' && response['uid'] !== uid) throw new Error(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response['uid'] ?? '')}`)
    const { status = '', message } = asRecord(response['result']) ?? {}
    if (status !== 'Success') throw new Error(typeof message === 'string' && message !== '' ? message : `response.result.status was '${String(status)}', not 'Success'`)
    return Array.isArray(response['convertedObjects']) ? response['convertedObjects'] : []
  }
}

/** What names a stored version of an object, converted; undefined for what is not stored yet. */
function versionOf({ metadata: { uid, resourceVersion } }: ApiObject, apiVersion: string): string | undefined {
  return uid && resourceVersion ? `${uid} ${resourceVersion} ${apiVersion}` : undefined
}

/** A conversion may change everything but what the object is. */
function problemOf(original: ApiObject, converted: Readonly<Record<string, unknown>> | undefined, apiVersion: string): string | undefined {
  if (!converted) return undefined
  if (converted['apiVersion'] !== apiVersion) return `invalid groupVersion (expected ${apiVersion}, received ${String(converted['apiVersion'])})`
  if (converted['kind'] !== original.kind) return `invalid kind (expected ${String(original.kind)}, received ${String(converted['kind'])})`
  const metadata = asRecord(converted['metadata'])
  if (!metadata) return 'missing metadata in converted object'
  for (const [field, name] of [['name', 'name'], ['namespace', 'namespace'], ['uid', 'UID']] as const) {
    if ((metadata[field] ?? '') !== (original.metadata[field] ?? '')) return `must have the same ${name}: ${original.metadata[field] ?? ''} != ${String(metadata[field] ?? '')}`
  }
  for (const field of ['labels', 'annotations'] as const) {
    const given = metadata[field] ?? {}
    const texts = asRecord(given)
    if (!texts || Object.values(texts).some((value) => typeof value !== 'string')) return `invalid metadata.${field} in converted object`
  }
  return undefined
}

/** The original's metadata, but for labels and annotations, which conversion may change. */
function withMetadataOf(original: ApiObject, converted: Readonly<Record<string, unknown>>): ApiObject {
  const { labels: _, annotations: __, ...kept } = original.metadata
  const { labels, annotations } = converted['metadata'] as Pick<ApiObject['metadata'], 'labels' | 'annotations'>
  return { ...converted, metadata: { ...kept, ...(labels ? { labels } : {}), ...(annotations ? { annotations } : {}) } } as ApiObject
}
