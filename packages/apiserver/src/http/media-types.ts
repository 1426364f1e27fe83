// Content negotiation: what an Accept header asks for among what is served here.
import { notAcceptable } from '../errors.ts'
import { StatusError } from '../errors.ts'
import { entryOf } from '../registry/values.ts'

/** In which shape an object or list is answered. */
export interface Representation {
  format: 'json' | 'yaml' | 'protobuf'
  as: 'object' | 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList'
  /** meta.k8s.io version of a Table or PartialObjectMetadata. */
  version: 'v1' | 'v1beta1'
  contentType: string
}

interface MediaRange { type: string, parameters: Record<string, string>, quality: number }

/** What headers were parsed to: a client sends the same ones all its life. Bounded, since anybody may send anything. */
const parsed = new Map<string, readonly MediaRange[]>()
const parsedLimit = 100

/** Parses an Accept header; ranges of equal quality keep their order. */
export function parseAccept(accept: string | undefined): readonly MediaRange[] {
  if (accept === undefined || accept.trim() === '') return [{ type: '*/*', parameters: {}, quality: 1 }]
  const known = parsed.get(accept)
  if (known) return known
  const ranges = parseRanges(accept)
  if (accept.length <= 256 && parsed.size < parsedLimit) parsed.set(accept, ranges)
  return ranges
}

function parseRanges(accept: string): MediaRange[] {
  const ranges = accept.split(',').flatMap((clause): MediaRange[] => {
    const [type = '', ...rest] = clause.split(';').map((s) => s.trim())
    if (type === '') return []
    const parameters: Record<string, string> = {}
    for (const part of rest) {
      const [name = '', value = ''] = part.split('=')
      parameters[name.trim().toLowerCase()] = value.trim().replace(/^"|"$/g, '')
    }
    const quality = parameters['q'] === undefined ? 1 : Number(parameters['q'])
    delete parameters['q']
    return [{ type: type.toLowerCase(), parameters, quality: Number.isNaN(quality) ? 1 : quality }]
  })
  return ranges.sort((a, b) => b.quality - a.quality)
}

const formats: Record<string, Representation['format']> = {
  'application/json': 'json', '*/*': 'json', 'application/*': 'json', 'application/yaml': 'yaml', 'application/vnd.kubernetes.protobuf': 'protobuf',
}

const shapes = new Set(['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList'])

/** Chooses a representation; `shapesAllowed` are the `as=` values that make sense for the request, of custom resources, bare metadata alone is written in protobuf. Throws 406. */
export function negotiate(accept: string | undefined, shapesAllowed: readonly Representation['as'][], protobuf = true): Representation {
  for (const { type, parameters } of parseAccept(accept)) {
    const format = entryOf(formats, type)
    const as = parameters['as']
    if (!format || (format === 'protobuf' && !protobuf && as === undefined)) continue
    if (as === undefined) return { format, as: 'object', version: 'v1', contentType: type.includes('*') ? 'application/json' : type }
    // Tables have no form in protobuf.
    if (format === 'protobuf' && as === 'Table') continue
    const version = parameters['v']
    if (parameters['g'] !== 'meta.k8s.io' || (version !== 'v1' && version !== 'v1beta1') || !shapes.has(as)) continue
    if (!shapesAllowed.includes(as as Representation['as'])) continue
    return { format, as: as as Representation['as'], version, contentType: `${format === 'protobuf' ? 'application/vnd.kubernetes.protobuf' : `application/${format}`};as=${as};v=${version};g=meta.k8s.io` }
  }
  throw notAcceptable(['application/json', 'application/yaml', ...(protobuf ? ['application/vnd.kubernetes.protobuf'] : []), ...shapesAllowed.filter((s) => s !== 'object').map((s) => `application/json;as=${s};v=v1;g=meta.k8s.io`)])
}

/** 406 for a plain resource, in upstream's words for go-restful routes. */
export function routeNotAcceptable(): StatusError {
  return new StatusError(406, 'NotAcceptable', '406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, application/vnd.kubernetes.protobuf, application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch', {})
}

/** Whether JSON is indented: asked for, or a person's tool is asking. */
export function wantsPretty(query: URLSearchParams, userAgent: string | undefined): boolean {
  const pretty = query.get('pretty')
  if (pretty !== null) return pretty !== '0' && pretty !== 'false'
  return /^(curl|Wget|Mozilla\/5\.0)/.test(userAgent ?? '')
}
