import fs from 'node:fs'
import path from 'node:path'
import { schemaOf } from '@berth/api'
import { describe, expect, it } from 'vitest'
import { encodeObject } from '../../protobuf/encode.ts'
import { openEnvelope } from '../../protobuf/decode.ts'
import { CachedObject } from '../../registry/cached-object.ts'
import { storedResources } from '../../resources/index.ts'
import type { ApiObject } from '../../interfaces.ts'
import { kubernetesCodec } from './codec.ts'

const codec = kubernetesCodec({ definitions: storedResources, mediaType: 'application/vnd.kubernetes.protobuf' })
const asJson = kubernetesCodec({ definitions: storedResources, mediaType: 'application/json' })
const text = new TextDecoder()

function encode(object: ApiObject, with_ = codec): Uint8Array {
  const attachment = new CachedObject('/k', 0, object, undefined)
  return with_.encode({ key: '/k', expected: 0, value: () => attachment.bytes, attachment: () => attachment })
}

function decode(value: Uint8Array, mod = 7): ApiObject {
  return JSON.parse(text.decode(codec.decode('/k', value, { mod, create: mod }).value)) as ApiObject
}

const configMap: ApiObject = { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'a', namespace: 'b', resourceVersion: '5' }, data: { x: '1' } }

describe('the stored form', () => {
  it('of a built-in kind is protobuf in its envelope, without a resourceVersion; read, it has the revision it is stored at', () => {
    const value = encode(configMap)
    expect([openEnvelope(value).kind, openEnvelope(value).apiVersion, text.decode(value).includes('5')]).toEqual(['ConfigMap', 'v1', false])
    expect(decode(value)).toEqual({ ...configMap, metadata: { name: 'a', namespace: 'b', resourceVersion: '7' } })
  })

  it('of a custom resource is JSON, exact to the last digit', () => {
    const boat: ApiObject = { kind: 'Boat', apiVersion: 'example.com/v1', metadata: { name: 'a', resourceVersion: '5' }, spec: { tons: 9007199254740993n as unknown as number } }
    const value = encode(boat)
    expect(text.decode(value)).toBe('{"kind":"Boat","apiVersion":"example.com/v1","metadata":{"name":"a"},"spec":{"tons":9007199254740993}}\n')
    expect(text.decode(codec.decode('/k', value, { mod: 7, create: 7 }).value)).toBe('{"kind":"Boat","apiVersion":"example.com/v1","metadata":{"name":"a","resourceVersion":"7"},"spec":{"tons":9007199254740993}}')
  })

  it('is JSON where --storage-media-type asks for it, and either is read', () => {
    const value = encode(configMap, asJson)
    expect(text.decode(value)).toBe('{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a","namespace":"b"},"data":{"x":"1"}}\n')
    expect(decode(value)).toEqual({ ...configMap, metadata: { name: 'a', namespace: 'b', resourceVersion: '7' } })
  })

  it('of a value that a writer has only as bytes is the same', () => {
    const bytes = Buffer.from(JSON.stringify(configMap))
    expect(codec.encode({ key: '/k', expected: 0, value: () => bytes })).toEqual(encode(configMap))
  })
})

describe('what another server stored', () => {
  it('in another version that is served here is brought into the one that is stored', () => {
    const event = { kind: 'HorizontalPodAutoscaler', apiVersion: 'autoscaling/v1', metadata: { name: 'a', namespace: 'b' }, spec: { scaleTargetRef: { kind: 'Deployment', name: 'd' }, maxReplicas: 3, targetCPUUtilizationPercentage: 70 } }
    expect(decode(encode(event))).toMatchObject({ apiVersion: 'autoscaling/v2', spec: { metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } } }] } })
  })

  it('in a beta version that is not served is read as the version of the same shape', () => {
    const schema = schemaOf({ group: 'admissionregistration.k8s.io', version: 'v1', kind: 'MutatingAdmissionPolicy' })
    if (!schema) throw new Error('no schema')
    const value = encodeObject(schema, 'MutatingAdmissionPolicy', 'admissionregistration.k8s.io/v1beta1', { metadata: { name: 'p' }, spec: { reinvocationPolicy: 'Never' } })
    expect(decode(value)).toMatchObject({ apiVersion: 'admissionregistration.k8s.io/v1', metadata: { name: 'p', resourceVersion: '7' }, spec: { reinvocationPolicy: 'Never' } })
  })

  it('gets the defaults that it lacks', () => {
    const value = Buffer.from('{"kind":"Service","apiVersion":"v1","metadata":{"name":"a","namespace":"b"},"spec":{"ports":[{"port":80}]}}')
    expect(decode(value)).toMatchObject({ spec: { type: 'ClusterIP', sessionAffinity: 'None', ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }] } })
  })

  it('as a CustomResourceDefinition of v1beta1 is one of v1', () => {
    const beta = {
      kind: 'CustomResourceDefinition', apiVersion: 'apiextensions.k8s.io/v1beta1', metadata: { name: 'boats.example.com' },
      spec: {
        group: 'example.com', version: 'v1', scope: 'Namespaced', names: { plural: 'boats', singular: 'boat', kind: 'Boat', listKind: 'BoatList' }, preserveUnknownFields: false,
        versions: [{ name: 'v1', served: true, storage: true }, { name: 'v2', served: true, storage: false, schema: { openAPIV3Schema: { type: 'object', description: 'two' } } }],
        validation: { openAPIV3Schema: { type: 'object' } }, subresources: { status: {} }, additionalPrinterColumns: [{ name: 'Masts', type: 'integer', JSONPath: '.spec.masts' }],
        conversion: { strategy: 'Webhook', webhookClientConfig: { url: 'https://x' }, conversionReviewVersions: ['v1'] },
      },
      status: { conditions: [], acceptedNames: { plural: 'boats', kind: 'Boat' }, storedVersions: ['v1'] },
    }
    const columns = [{ name: 'Masts', type: 'integer', jsonPath: '.spec.masts' }]
    expect(decode(Buffer.from(JSON.stringify(beta)))).toMatchObject({
      apiVersion: 'apiextensions.k8s.io/v1',
      spec: {
        group: 'example.com', conversion: { strategy: 'Webhook', webhook: { clientConfig: { url: 'https://x' }, conversionReviewVersions: ['v1'] } },
        versions: [
          { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } }, subresources: { status: {} }, additionalPrinterColumns: columns },
          { name: 'v2', served: true, storage: false, schema: { openAPIV3Schema: { type: 'object', description: 'two' } }, subresources: { status: {} }, additionalPrinterColumns: columns },
        ],
      },
    })
  })

  it('encrypted is refused by name', () => {
    const entry = codec.decode('/registry/secrets/a/b', Buffer.from('k8s:enc:aescbc:v1:key1:xyz'), { mod: 1, create: 1 })
    expect(() => entry.value).toThrow('/registry/secrets/a/b is encrypted: encryption at rest is not supported')
  })

  it('of a kind that nobody knows is refused when it is asked for, not before', () => {
    const schema = schemaOf({ group: '', version: 'v1', kind: 'ConfigMap' })
    if (!schema) throw new Error('no schema')
    const entry = codec.decode('/registry/x/y', encodeObject(schema, 'Thing', 'v9', {}), { mod: 1, create: 1 })
    expect(() => entry.value).toThrow('/registry/x/y: no kind "Thing" is known for version "v9"')
  })
})

const facts = process.env['BERTH_FACTS']
const folder = facts === undefined ? '' : path.join(facts, 'roundtrip')
const present = fs.existsSync(folder)
const isStored = (file: string): boolean => {
  const [kind, version, ...group] = file.replace('.pb', '').split('.').reverse()
  return storedResources.some(({ resource, view, computed }) => !view && !computed && resource.kind === kind && resource.version === version && (resource.group || 'core') === group.reverse().join('.'))
}

describe.skipIf(!present)(`every stored kind, as a stock server writes it (${present ? 'facts/roundtrip' : 'skipped: BERTH_FACTS names no folder'})`, () => {
  it.each(present ? fs.readdirSync(folder).filter((file) => file.endsWith('.pb') && isStored(file) && !file.startsWith('api')) : [])('%s is read as its JSON is, and written again in the same bytes', (file) => {
    const recorded = fs.readFileSync(path.join(folder, file))
    const once = encode(decode(recorded))
    // The recorded objects name a resourceVersion of their own, and what is defaulted is written: the second round changes nothing any more.
    expect(Buffer.from(encode(decode(once))).toString('hex')).toBe(Buffer.from(once).toString('hex'))
    expect(decode(recorded)).toEqual(decode(fs.readFileSync(path.join(folder, file.replace('.pb', '.json')))))
  })
})
