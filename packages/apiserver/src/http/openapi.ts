// /openapi/v3: the index of documents and one document a group and version; /openapi/v2: one document of everything, for clients that fall back to it
// (kubectl, of kinds that v3 does not have). Documents are made when they are first asked for, and kept compressed.
import { createHash } from 'node:crypto'
import { gunzipSync, gzipSync } from 'node:zlib'
import { openApiV2, openApiV3, openApiV3Path, type DescribedResource } from '@berth/api'
import type { Aggregator } from '../aggregation/aggregator.ts'
import { mergeSwagger } from '../aggregation/remote-openapi.ts'
import { encodeOpenApiV2 } from '../protobuf/openapi-v2.ts'
import type { ApiResponse } from '../interfaces.ts'
import type { Discovery } from './discovery.ts'
import type { PathHandler } from './handler.ts'
import { parseAccept } from './media-types.ts'
import { entryOf } from '../registry/values.ts'
import { splitTarget } from './request-info.ts'
import { jsonResponse, textResponse } from './respond.ts'

/** A document as it is kept. */
interface Kept { readonly compressed: Buffer, readonly hash: string }

function keep(encoded: string | Uint8Array): Kept {
  return { compressed: gzipSync(encoded, { level: 1 }), hash: createHash('sha512').update(encoded).digest('hex').toUpperCase() }
}

/** What is served of a group version. */
function resourcesOf(discovery: Discovery, groupVersion: string): DescribedResource[] {
  const [group = '', version = ''] = groupVersion.includes('/') ? groupVersion.split('/') : ['', groupVersion]
  return discovery.resourcesOf(group, version).map(({ info, subresources, custom }) => ({ ...info, subresources, ...(custom ? { schema: custom } : {}) }))
}

/** Documents that are kept as long as the same things are served. */
function keptWhile(discovery: Discovery): (name: string, make: () => Kept) => Kept {
  let version = discovery.version
  const documents = new Map<string, Kept>()
  return (name, make) => {
    if (version !== discovery.version) documents.clear()
    version = discovery.version
    const kept = documents.get(name) ?? make()
    documents.set(name, kept)
    return kept
  }
}

/** What other servers behind this one describe. */
type RemoteDocuments = Pick<Aggregator, 'openApiV2' | 'openApiV3'>

/** The handlers of /openapi/v2 and /openapi/v3. */
export function openApiPaths(discovery: Discovery, aggregated: RemoteDocuments): PathHandler[] {
  return [openApiV2Path(discovery, aggregated), ...openApiV3Paths(discovery, aggregated)]
}

const protobuf = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf'
/** What may be asked for of v2, and what the answer is called: the name with `@`, which clients still send, is no media type. */
const v2Types: Record<string, string> = {
  '*/*': 'application/json', 'application/*': 'application/json', 'application/json': 'application/json', [protobuf]: protobuf, 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf': protobuf,
}

function openApiV2Path(discovery: Discovery, aggregated: RemoteDocuments): PathHandler {
  const documents = keptWhile(discovery)
  const make = (type: string): Kept => {
    const own = openApiV2([...discovery.groupVersions].map((gv) => [gv, resourcesOf(discovery, gv)] as const))
    const document = mergeSwagger(own, aggregated.openApiV2())
    return keep(type === protobuf ? encodeOpenApiV2(document) : JSON.stringify(document))
  }
  return {
    path: '/openapi/v2',
    handle(request) {
      const type = parseAccept(request.headers['accept']).map((range) => entryOf(v2Types, range.type)).find((t) => t !== undefined)
      if (type === undefined) return { status: 406, headers: { vary: 'Accept' }, body: '' }
      const kept = documents(type, () => make(type))
      const headers = { 'content-type': type, etag: `"${kept.hash}"`, vary: 'Accept' }
      if (request.headers['if-none-match'] === headers.etag) return { status: 304, headers, body: '' }
      return { status: 200, headers, body: gunzipSync(kept.compressed) }
    },
  }
}

function openApiV3Paths(discovery: Discovery, aggregated: RemoteDocuments): PathHandler[] {
  const documents = keptWhile(discovery)
  // What is built in does not change: only the documents of groups that hold custom resources are made again.
  const builtIn = new Map<string, Kept>()
  const document = (groupVersion: string): Kept => {
    const make = (): Kept => keep(JSON.stringify(openApiV3(groupVersion, resourcesOf(discovery, groupVersion))))
    if (resourcesOf(discovery, groupVersion).some(({ schema }) => schema !== undefined)) return documents(groupVersion, make)
    const made = builtIn.get(groupVersion) ?? make()
    builtIn.set(groupVersion, made)
    return made
  }
  const index = (): ApiResponse => {
    const paths: Record<string, unknown> = {}
    for (const groupVersion of discovery.groupVersions) {
      const path = openApiV3Path(groupVersion)
      paths[path] = { serverRelativeURL: `/openapi/v3/${path}?hash=${document(groupVersion).hash}` }
    }
    // These documents are read from their own servers.
    for (const [path, serverRelativeURL] of aggregated.openApiV3()) paths[path] = { serverRelativeURL }
    return jsonResponse(200, { paths })
  }
  return [
    { path: '/openapi/v3', handle: index },
    {
      path: '/openapi/v3/',
      handle(request) {
        const { path, query } = splitTarget(request.url)
        const wanted = [...discovery.groupVersions].find((gv) => path === `/openapi/v3/${openApiV3Path(gv)}`)
        if (wanted === undefined) return textResponse(404, '404 page not found\n')
        const { compressed, hash } = document(wanted)
        const headers: Record<string, string> = { 'content-type': 'application/json', etag: `"${hash}"`, vary: 'Accept' }
        if (request.headers['if-none-match'] === `"${hash}"`) return { status: 304, headers, body: '' }
        // The hash names the content, so what it names may be kept for good.
        if (query.get('hash') === hash) headers['cache-control'] = 'public, immutable'
        return { status: 200, headers, body: gunzipSync(compressed) }
      },
    },
  ]
}
