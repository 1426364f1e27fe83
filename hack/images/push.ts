import { digestOf } from './layer.ts'
import type { Image } from './image.ts'

/** Where an image goes: `registry.example.org:5000/berth:0.1.0`. Loopback registries are spoken to without TLS, as the Engine does. */
function destination(reference: string): { base: string; name: string; tag: string } {
  const match = /^([^/]+)\/([a-z0-9._/-]+):([\w][\w.-]*)$/.exec(reference)
  if (!match) throw new RangeError(`${reference}: a push goes to REGISTRY[:PORT]/NAME:TAG`)
  const [, registry = '', name = '', tag = ''] = match
  const plain = /^(127\.\d+\.\d+\.\d+|localhost)(:\d+)?$/.test(registry)
  return { base: `${plain ? 'http' : 'https'}://${registry}`, name, tag }
}

async function ask(method: string, url: string, expected: readonly number[], body?: Buffer, contentType = 'application/octet-stream'): Promise<Response> {
  const answer = await fetch(url, { method, headers: { ...authorization(), ...(body ? { 'content-type': contentType } : {}) }, ...(body ? { body: new Uint8Array(body) } : {}) })
  if (!expected.includes(answer.status)) throw new Error(`${method} ${url}: ${answer.status} ${(await answer.text()).slice(0, 300)}`)
  return answer
}

/** `REGISTRY_USER` and `REGISTRY_PASSWORD`, where the registry asks for them. */
function authorization(): Record<string, string> {
  const { REGISTRY_USER: user, REGISTRY_PASSWORD: password } = process.env
  return user === undefined || password === undefined ? {} : { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` }
}

/** Pushes an image by the OCI distribution specification; blobs that the registry has already are not sent again. Resolves with the manifest's digest. */
export async function push(image: Image, reference: string): Promise<string> {
  const { base, name, tag } = destination(reference)
  const blobs = [{ digest: digestOf(image.config), bytes: image.config }, ...image.layers]
  for (const { digest, bytes } of blobs) {
    const known = await ask('HEAD', `${base}/v2/${name}/blobs/${digest}`, [200, 404])
    if (known.status === 200) continue
    const started = await ask('POST', `${base}/v2/${name}/blobs/uploads/`, [202])
    const location = new URL(started.headers.get('location') ?? '', base)
    location.searchParams.set('digest', digest)
    await ask('PUT', location.href, [201], bytes)
  }
  await ask('PUT', `${base}/v2/${name}/manifests/${tag}`, [201], image.manifest, image.mediaType)
  return image.digest
}
