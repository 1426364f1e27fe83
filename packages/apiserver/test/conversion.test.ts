import { createServer, type Server } from 'node:https'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createCa, issueCertificate } from '@berth/kube'
import { start, type Send } from './support/harness.ts'

interface Review { apiVersion: string, request: { uid: string, desiredAPIVersion: string, objects: Boat[] } }
interface Boat { apiVersion: string, kind: string, metadata: { name: string, labels?: Record<string, string> }, spec: { length?: number, size?: { metres: number } } }

const at = (version: string): string => `/apis/fleet.example.com/${version}/namespaces/default/boats`
const anything = { schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } }, subresources: { status: {} } }
const merge = { 'content-type': 'application/merge-patch+json' }

/** v1 says `length: 5`, v2 `size: {metres: 5}`. */
function convert({ metadata, kind, spec }: Boat, apiVersion: string): Boat {
  const metres = spec.length ?? spec.size?.metres ?? 0
  return { apiVersion, kind, metadata: { ...metadata, labels: { ...metadata.labels, converted: 'yes' } }, spec: apiVersion.endsWith('v1') ? { length: metres } : { size: { metres } } }
}

describe('custom resources of several versions', () => {
  let running: Awaited<ReturnType<typeof start>>
  let send: Send
  let hook: Server
  let settings: object
  let answer: (review: Review) => object
  const reviews: Review[] = []

  const definition = (stored: string, conversion: object): object => ({
    apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: 'boats.fleet.example.com' },
    spec: { group: 'fleet.example.com', scope: 'Namespaced', names: { plural: 'boats', singular: 'boat', kind: 'Boat' }, conversion, versions: ['v1', 'v2'].map((name) => ({ name, served: true, storage: name === stored, ...anything })) },
  })
  async function define(stored: string, conversion: object): Promise<void> {
    const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/boats.fleet.example.com'
    const sent = await send('PATCH', `${path}?fieldManager=test&force=true`, definition(stored, conversion), { 'content-type': 'application/apply-patch+yaml' })
    if (sent.status !== 200 && sent.status !== 201) throw new Error(sent.text)
    await vi.waitUntil(async () => {
      const versions = (await send('GET', path)).body['status']?.['storedVersions'] as unknown as string[] | undefined
      return versions?.includes(stored) === true && (await send('GET', at('v2'))).status === 200
    }, { timeout: 10_000 })
  }
  beforeAll(async () => {
    running = await start()
    send = running.send
    const ca = await createCa('hook-ca')
    const issued = await issueCertificate(ca, { commonName: 'hook', dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'], usages: ['server'], days: 1 })
    hook = createServer({ cert: issued.certificate, key: issued.key }, (incoming, outgoing) => {
      let text = ''
      incoming.on('data', (chunk) => { text += String(chunk) })
      incoming.on('end', () => {
        const review = JSON.parse(text) as Review
        reviews.push(review)
        outgoing.end(JSON.stringify({ kind: 'ConversionReview', apiVersion: review.apiVersion, response: { uid: review.request.uid, ...answer(review) } }))
      })
    })
    await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve))
    const { port } = hook.address() as { port: number }
    settings = { strategy: 'Webhook', webhook: { conversionReviewVersions: ['v1'], clientConfig: { url: `https://127.0.0.1:${port}/convert`, caBundle: Buffer.from(ca.certificate).toString('base64') } } }
    answer = ({ request: { objects, desiredAPIVersion } }) => ({ result: { status: 'Success' }, convertedObjects: objects.map((object) => convert(object, desiredAPIVersion)) })
  })
  afterAll(async () => {
    hook.closeAllConnections()
    hook.close()
    await running.stop()
  })

  test('are read and changed in any version after another one became the stored one', async () => {
    await define('v1', { strategy: 'None' })
    expect((await send('POST', at('v1'), { apiVersion: 'fleet.example.com/v1', kind: 'Boat', metadata: { name: 'old' }, spec: { length: 3 } })).status).toBe(201)
    await define('v2', { strategy: 'None' })
    for (const version of ['v1', 'v2']) {
      expect(await send('GET', `${at(version)}/old`)).toMatchObject({ status: 200, body: { apiVersion: `fleet.example.com/${version}` } })
      expect((await send('GET', at(version))).body['items']?.[0]).toMatchObject({ apiVersion: `fleet.example.com/${version}`, kind: 'Boat' })
      expect(await send('PATCH', `${at(version)}/old`, { spec: { [version]: true } }, merge)).toMatchObject({ status: 200, body: { apiVersion: `fleet.example.com/${version}` } })
    }
    expect((await send('DELETE', `${at('v1')}/old`)).status).toBe(200)
  })

  test('are converted by a webhook: what is written, read, listed and watched', async () => {
    await define('v1', settings)
    expect(await send('POST', at('v2'), { apiVersion: 'fleet.example.com/v2', kind: 'Boat', metadata: { name: 'a' }, spec: { size: { metres: 5 } } })).toMatchObject({ status: 201, body: { apiVersion: 'fleet.example.com/v2', spec: { size: { metres: 5 } } } })
    expect(await send('GET', `${at('v1')}/a`)).toMatchObject({ body: { apiVersion: 'fleet.example.com/v1', metadata: { labels: { converted: 'yes' } }, spec: { length: 5 } } })
    expect(await send('PATCH', `${at('v2')}/a`, { spec: { size: { metres: 8 } } }, merge)).toMatchObject({ status: 200, body: { spec: { size: { metres: 8 } } } })
    expect(await send('PATCH', `${at('v1')}/a`, { spec: { length: 9 } }, merge)).toMatchObject({ status: 200, body: { spec: { length: 9 } } })
    expect((await send('POST', at('v1'), { apiVersion: 'fleet.example.com/v1', kind: 'Boat', metadata: { name: 'b' }, spec: { length: 2 } })).status).toBe(201)
    reviews.length = 0
    expect((await send('GET', at('v2'))).body['items']).toMatchObject([{ apiVersion: 'fleet.example.com/v2', spec: { size: { metres: 9 } } }, { spec: { size: { metres: 2 } } }])
    expect(reviews.map(({ request }) => request.objects.length)).toEqual([2])
    // What was converted once is not asked for again.
    await send('GET', at('v2'))
    expect(reviews).toHaveLength(1)
    const watched = await send('GET', `${at('v2')}?watch=true&timeoutSeconds=1`)
    expect(watched.text.trim().split('\n').map((line) => (JSON.parse(line) as { object: Boat }).object.spec)).toEqual([{ size: { metres: 9 } }, { size: { metres: 2 } }])
    expect(await send('GET', `${at('v2')}/a`, undefined, { accept: 'application/json;as=Table;g=meta.k8s.io;v=v1' })).toMatchObject({ status: 200, body: { kind: 'Table' } })
  })

  test('stay as they were stored, and are converted when another version becomes the stored one', async () => {
    await define('v2', settings)
    expect(await send('GET', `${at('v2')}/b`)).toMatchObject({ body: { apiVersion: 'fleet.example.com/v2', spec: { size: { metres: 2 } } } })
    expect(await send('PATCH', `${at('v2')}/b`, { metadata: { annotations: { a: 'b' } } }, merge)).toMatchObject({ status: 200, body: { spec: { size: { metres: 2 } } } })
    expect(await send('GET', `${at('v1')}/b`)).toMatchObject({ body: { apiVersion: 'fleet.example.com/v1', spec: { length: 2 } } })
  })

  test.each<[string, (review: Review) => object, string]>([
    ['refuses', () => ({ result: { status: 'Failure', message: 'no such boat' } }), 'conversion webhook for fleet.example.com/v2, Kind=Boat failed: no such boat'],
    ['answers too little', () => ({ result: { status: 'Success' }, convertedObjects: [] }), 'conversion webhook for fleet.example.com/v2, Kind=Boat returned 0 objects, expected 1'],
    ['answers in another version', ({ request: { objects } }) => ({ result: { status: 'Success' }, convertedObjects: objects }), 'returned invalid converted object at index 0: invalid groupVersion (expected fleet.example.com/v1, received fleet.example.com/v2)'],
    ['changes the name', ({ request: { objects, desiredAPIVersion } }) => ({ result: { status: 'Success' }, convertedObjects: objects.map((object) => ({ ...convert(object, desiredAPIVersion), metadata: { name: 'other' } })) }), 'must have the same name: c != other'],
  ])('a webhook that %s fails the read with its words', async (_, wrong, message) => {
    const right = answer
    await send('POST', at('v2'), { apiVersion: 'fleet.example.com/v2', kind: 'Boat', metadata: { name: 'c' }, spec: { size: { metres: 1 } } })
    answer = wrong
    const failed = await send('GET', `${at('v1')}/c`)
    answer = right
    expect(failed).toMatchObject({ status: 500, body: { message: expect.stringContaining(message) } })
  })
})
