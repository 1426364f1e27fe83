// /openapi/v3: the index of documents and one document a group and version. Documents are made when the index is first asked for, and kept compressed.
import { createHash } from 'node:crypto'
import { gunzipSync, gzipSync } from 'node:zlib'
import { openApiV3, openApiV3Path } from '@berth/api'
import type { ApiResponse } from '../interfaces.ts'
import type { Discovery } from './discovery.ts'
import type { PathHandler } from './handler.ts'
import { jsonResponse, textResponse } from './respond.ts'

/** The handlers of /openapi/v3. /openapi/v2 is not served: clients use v3. */
export function openApiPaths(discovery: Discovery): PathHandler[] {
  const documents = new Map<string, { compressed: Buffer, hash: string }>()
  const document = (groupVersion: string): { compressed: Buffer, hash: string } => {
    let made = documents.get(groupVersion)
    if (!made) {
      const [group = '', version = ''] = groupVersion.includes('/') ? groupVersion.split('/') : ['', groupVersion]
      const resources = discovery.resourcesOf(group, version).map((s) => ({ ...s.info, subresources: s.subresources }))
      const text = JSON.stringify(openApiV3(groupVersion, resources))
      made = { compressed: gzipSync(text, { level: 1 }), hash: createHash('sha512').update(text).digest('hex').toUpperCase() }
      documents.set(groupVersion, made)
    }
    return made
  }
  const index = (): ApiResponse => {
    const paths: Record<string, unknown> = {}
    for (const groupVersion of discovery.groupVersions) {
      const path = openApiV3Path(groupVersion)
      paths[path] = { serverRelativeURL: `/openapi/v3/${path}?hash=${document(groupVersion).hash}` }
    }
    return jsonResponse(200, { paths })
  }
  return [
    { path: '/openapi/v3', handle: index },
    {
      path: '/openapi/v3/',
      handle(request) {
        const url = new URL(request.url, 'https://apiserver')
        const wanted = [...discovery.groupVersions].find((gv) => url.pathname === `/openapi/v3/${openApiV3Path(gv)}`)
        if (wanted === undefined) return textResponse(404, '404 page not found\n')
        const { compressed, hash } = document(wanted)
        const headers: Record<string, string> = { 'content-type': 'application/json', etag: `"${hash}"`, vary: 'Accept' }
        if (request.headers['if-none-match'] === `"${hash}"`) return { status: 304, headers, body: '' }
        // The hash names the content, so what it names may be kept for good.
        if (url.searchParams.get('hash') === hash) headers['cache-control'] = 'public, immutable'
        return { status: 200, headers, body: gunzipSync(compressed) }
      },
    },
  ]
}
