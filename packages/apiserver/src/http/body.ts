// Request bodies: JSON and YAML into objects of the schema, with upstream's words for everything that can be wrong.
import { DecodeError, JsonSyntaxError, parseJson, schemaOf } from '@berth/api'
import type { Decoded, Json, JsonObject, StructSchema } from '@berth/api'
import { badRequest, unsupportedMediaType } from '../errors.ts'
import type { ApiObject, ApiRequest } from '../interfaces.ts'
import { decodeMessage, openEnvelope } from '../protobuf/decode.ts'
import { ProtobufError } from '../protobuf/reader.ts'
import { protobufType } from '../protobuf/responses.ts'
import type { KindRules } from '../registry/kind-rules.ts'
import { asRecord } from '../registry/values.ts'
import { parseYaml } from './yaml.ts'

type Validation = 'strict' | 'warn' | 'ignore'
interface Gvk { group: string, version: string, kind: string }

/** The media type of a request's body, without parameters; JSON when nothing is said. */
export function mediaTypeOf(request: ApiRequest): string {
  const header = request.headers['content-type']
  return header === undefined || header === '' ? 'application/json' : (header.split(';')[0] ?? '').trim().toLowerCase()
}

const readable = ['application/json', 'application/yaml', protobufType]

/** A protobuf body as the JSON it stands for; one of another kind as its kind and version alone. Throws 400. */
export function readProtobuf(bytes: Uint8Array, gvk: Gvk, schema: StructSchema): JsonObject {
  try {
    const { kind, apiVersion, raw } = openEnvelope(bytes)
    const head = { ...(kind && { kind }), ...(apiVersion && { apiVersion }) }
    return kind === '' || kind === gvk.kind ? { ...decodeMessage(schema, raw), ...head } : head
  } catch (error) {
    if (error instanceof ProtobufError || isSyntaxProblem(error)) throw unrecognized(gvk, error.message, bytes)
    throw error
  }
}

/** A parsed body: any JSON value, and which keys stood twice. Rejects with an Error whose message is the parser's. */
export async function parseBody(bytes: Uint8Array, mediaType: string): Promise<{ value: Json, duplicates: string[] }> {
  if (mediaType !== 'application/yaml' && mediaType !== 'application/apply-patch+yaml') return parseJson(bytes)
  const text = new TextDecoder().decode(bytes)
  if (/^\s*\{/.test(text)) {
    try {
      return parseJson(bytes)
    } catch {
      // A flow mapping of YAML may begin so as well.
    }
  }
  return { value: await parseYaml(text), duplicates: [] }
}

/** Reads the body as an object of `gvk`: decoded, with defaults. Problems go to `warn` (mode warn). Throws 400, 413, 415. */
export async function readObject(request: ApiRequest, gvk: Gvk, rules: KindRules, validation: Validation, warn: (text: string) => void): Promise<ApiObject> {
  const mediaType = mediaTypeOf(request)
  const accepted = rules.custom ? readable.filter((type) => type !== protobufType) : readable
  if (!accepted.includes(mediaType)) throw unsupportedMediaType(accepted)
  const bytes = await request.body()
  if (mediaType === protobufType) return toObject(readProtobuf(bytes, gvk, rules.schema), [], gvk, rules, validation, warn, bytes)
  let parsed: { value: Json, duplicates: string[] }
  try {
    parsed = await parseBody(bytes, mediaType)
  } catch (error) {
    throw unrecognized(gvk, `couldn't get version/kind; json parse error: ${error instanceof Error ? error.message : String(error)}`, bytes)
  }
  return toObject(parsed.value, parsed.duplicates, gvk, rules, validation, warn, bytes)
}

/** A parsed value as an object of `gvk`: decoded, with defaults. `kind` and `apiVersion` may be missing, but not wrong. */
export function toObject(value: Json, duplicates: string[], gvk: Gvk, rules: KindRules, validation: Validation, warn: (text: string) => void, bytes: Uint8Array = new Uint8Array()): ApiObject {
  const record = asRecord(value)
  if (!record) {
    throw unrecognized(gvk, `couldn't get version/kind; json parse error: json: cannot unmarshal ${goKind(value)} into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`, bytes)
  }
  const kind = typeof record['kind'] === 'string' && record['kind'] !== '' ? record['kind'] : gvk.kind
  const expected = gvk.group === '' ? gvk.version : `${gvk.group}/${gvk.version}`
  const apiVersion = typeof record['apiVersion'] === 'string' && record['apiVersion'] !== '' ? record['apiVersion'] : expected
  if (kind !== gvk.kind || apiVersion !== expected) throw wrongKind(kind, apiVersion, gvk)
  let decoded: Decoded
  try {
    decoded = rules.decode(value, validation, duplicates)
  } catch (error) {
    if (error instanceof DecodeError) throw badRequest(`${kind} in version ${JSON.stringify(gvk.version)} cannot be handled as a ${gvk.kind}: ${error.message}`, error)
    throw error
  }
  for (const problem of decoded.problems) warn(problem)
  const object = { ...(decoded.object as unknown as ApiObject), kind, apiVersion }
  object.metadata = { ...object.metadata, name: object.metadata?.name ?? '' }
  rules.applyDefaults(object)
  return object
}

/** Whether an error of parseBody is about the text (and not about us). */
export function isSyntaxProblem(error: unknown): error is Error {
  return error instanceof JsonSyntaxError || error instanceof SyntaxError
}

function goKind(value: Json): string {
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'boolean') return 'bool'
  return value === null ? 'null' : typeof value === 'string' ? 'string' : 'number'
}

function unrecognized(gvk: Gvk, why: string, body: Uint8Array): Error {
  return badRequest(`the object provided is unrecognized (must be of type ${gvk.kind}): ${why} (${summarize(body)})`)
}

const summaryLength = 30

function summarize(body: Uint8Array): string {
  if (body.length === 0) return '<empty>'
  const head = Buffer.from(body.subarray(0, summaryLength))
  const text = body[0] === 0x7b ? head.toString() : head.toString('hex')
  return body.length > summaryLength ? `${text} ...` : text
}

function wrongKind(kind: string, apiVersion: string, want: Gvk): Error {
  const slash = apiVersion.indexOf('/')
  const group = slash < 0 ? '' : apiVersion.slice(0, slash)
  const version = apiVersion.slice(slash + 1)
  const head = `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${want.kind}: `
  if (!schemaOf({ group, version, kind })) {
    const place = group === '' ? version : `${group}/${version}`
    return badRequest(`${head}no kind "${kind}" is registered for version "${place}" in scheme "pkg/runtime/scheme.go:111"`)
  }
  return badRequest(`${head}converting (${version}.${kind}) to (${internalPackage(want.group)}.${want.kind}): unknown conversion`)
}

/** The Go package of a group's internal types. */
function internalPackage(group: string): string {
  return group === '' ? 'core' : group.split('.')[0] ?? group
}
