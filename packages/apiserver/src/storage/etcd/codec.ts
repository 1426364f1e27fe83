// Values as upstream stores them: built-in kinds in Kubernetes' protobuf with its envelope, everything else in JSON; always without a resourceVersion,
// which is the revision that etcd gives.
import { applyDefaults, decode, parseJson, schemaOf } from '@berth/api'
import type { Json, ObjectSchema } from '@berth/api'
import type { ApiObject } from '../../interfaces.ts'
import { decodeMessage, openEnvelope } from '../../protobuf/decode.ts'
import { encodeObject } from '../../protobuf/encode.ts'
import { CachedObject, jsonText } from '../../registry/cached-object.ts'
import type { ResourceDefinition } from '../../registry/definition.ts'
import { normalizeObject } from '../../registry/normalize.ts'
import { withRevision } from '../../registry/system-fields.ts'
import type { StorageEntry, StorageWrite } from '../storage.ts'
import { definitionFromBeta } from './definition-v1beta1.ts'
import type { StorageCodec } from './etcd-storage.ts'

const text = new TextDecoder()
const protobufMagic = 'k8s\0'
const encryptedMagic = 'k8s:enc:'

/** Their groups' servers are stacked on the stock one, and store JSON. */
const storedAsJson = new Set(['apiextensions.k8s.io', 'apiregistration.k8s.io'])

export interface CodecOptions {
  /** What is served: objects that are stored in another version of a kind are brought into the one that is stored here. */
  definitions: readonly ResourceDefinition[]
  /** --storage-media-type. */
  mediaType: 'application/vnd.kubernetes.protobuf' | 'application/json'
}

/** Builds the codec. */
export function kubernetesCodec({ definitions, mediaType }: CodecOptions): StorageCodec {
  const stored = new Map<string, ResourceDefinition>()
  const views = new Map<string, ResourceDefinition>()
  for (const definition of definitions) {
    const { group, version, kind } = definition.resource
    if (definition.view) views.set(`${group}/${version}/${kind}`, definition)
    else stored.set(`${group}/${kind}`, definition)
  }

  /** An object of a built-in kind in the form and version in which it is kept here. */
  function builtIn(schema: ObjectSchema, gvk: Gvk, object: ApiObject): ApiObject {
    const { kind: _, apiVersion: __, ...rest } = object
    const whole = decode(schema, { kind: gvk.kind, apiVersion: apiVersionOf(gvk), ...rest } as unknown as Json, 'ignore', []).object as unknown as ApiObject
    whole.kind = gvk.kind
    whole.apiVersion = apiVersionOf(gvk)
    whole.metadata = { ...whole.metadata, name: whole.metadata?.name ?? '' }
    applyDefaults(gvk, whole)
    const normal = normalizeObject(schema, whole)
    return views.get(`${gvk.group}/${gvk.version}/${gvk.kind}`)?.view?.toStored(normal) ?? normal
  }

  /** The kind's schema: of its own version, else (a version that is not served here, of the same shape) of the version that is stored here. */
  function schemaFor(found: Gvk): { schema: ObjectSchema, gvk: Gvk } | undefined {
    const own = schemaOf(found)
    if (own && (stored.has(`${found.group}/${found.kind}`) === false || sameVersion(stored.get(`${found.group}/${found.kind}`), found) || views.has(`${found.group}/${found.version}/${found.kind}`))) return { schema: own, gvk: found }
    const definition = stored.get(`${found.group}/${found.kind}`)
    const gvk = definition && { group: definition.resource.group, version: definition.resource.version, kind: definition.resource.kind }
    const schema = gvk && schemaOf(gvk)
    return schema && gvk ? { schema, gvk } : own && { schema: own, gvk: found }
  }

  function fromProtobuf(key: string, value: Uint8Array): ApiObject {
    const { kind, apiVersion, raw } = openEnvelope(value)
    const found = schemaFor(gvkOf(apiVersion, kind))
    if (!found) throw new Error(`${key}: no kind ${JSON.stringify(kind)} is known for version ${JSON.stringify(apiVersion)}`)
    return builtIn(found.schema, found.gvk, decodeMessage(found.schema, raw) as unknown as ApiObject)
  }

  function fromJson(value: Uint8Array): ApiObject {
    let object = parseJson(value).value as unknown as ApiObject
    if (object.apiVersion === 'apiextensions.k8s.io/v1beta1' && object.kind === 'CustomResourceDefinition') object = definitionFromBeta(object)
    const found = schemaFor(gvkOf(object.apiVersion ?? '', object.kind ?? ''))
    return found ? builtIn(found.schema, found.gvk, object) : object
  }

  function read(key: string, value: Uint8Array): ApiObject {
    if (startsWith(value, protobufMagic)) return fromProtobuf(key, value)
    if (startsWith(value, encryptedMagic)) throw new Error(`${key} is encrypted: encryption at rest is not supported`)
    return fromJson(value)
  }

  return {
    encode(write: StorageWrite): Uint8Array {
      const handed = write.attachment?.(0)
      const object = handed instanceof CachedObject ? handed.object : parseJson(write.value?.(0) ?? new Uint8Array()).value as unknown as ApiObject
      const { kind = '', apiVersion = '', ...rest } = object
      const { resourceVersion: _, selfLink: __, ...metadata } = object.metadata
      const gvk = gvkOf(apiVersion, kind)
      const schema = mediaType === 'application/json' || storedAsJson.has(gvk.group) ? undefined : schemaOf(gvk)
      if (schema) return encodeObject(schema, kind, apiVersion, { ...rest, metadata })
      return Buffer.from(`${jsonText({ kind, apiVersion, ...rest, metadata })}\n`)
    },
    decode(key: string, value: Uint8Array, revision: { mod: number, create: number }): StorageEntry {
      const cached = new CachedObject(key, revision.mod, undefined, undefined, { size: value.length, decode: () => {
        const object = read(key, value)
        return { ...object, metadata: withRevision(object.metadata, revision.mod) }
      } })
      return { key, get value() { return cached.bytes }, modRevision: revision.mod, createRevision: revision.create, attachment: cached }
    },
  }
}

interface Gvk { group: string, version: string, kind: string }

function gvkOf(apiVersion: string, kind: string): Gvk {
  const slash = apiVersion.indexOf('/')
  return { group: slash < 0 ? '' : apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1), kind }
}

function apiVersionOf({ group, version }: Gvk): string {
  return group === '' ? version : `${group}/${version}`
}

function sameVersion(definition: ResourceDefinition | undefined, { version }: Gvk): boolean {
  return definition?.resource.version === version
}

function startsWith(value: Uint8Array, magic: string): boolean {
  return text.decode(value.subarray(0, magic.length)) === magic
}
