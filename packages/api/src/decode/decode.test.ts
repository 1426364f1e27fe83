import fs from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseJson } from '../json/parse.ts'
import { schemaOf } from '../schema/registry.ts'
import { decode } from './decode.ts'
import { DecodeError } from './errors.ts'
import { normalize } from './normalize.ts'
import type { ObjectSchema } from '../schema/model.ts'

function kind(group: string, version: string, name: string): ObjectSchema {
  const schema = schemaOf({ group, version, kind: name })
  if (!schema) throw new Error(`no schema of ${group}/${version} ${name}`)
  return schema
}
const pod = kind('', 'v1', 'Pod')
const configMap = kind('', 'v1', 'ConfigMap')
const deployment = kind('apps', 'v1', 'Deployment')

function read(schema: ObjectSchema, text: string, mode: 'strict' | 'warn' | 'ignore' = 'warn'): ReturnType<typeof decode> {
  const { value, duplicates } = parseJson(text)
  return decode(schema, value, mode, duplicates)
}

describe('decode', () => {
  it.each<[string, string, ObjectSchema, string]>([
    ['a list that is an object', '{"spec":{"containers":{}}}', pod, 'json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container'],
    ['a number in a map of strings', '{"data":{"a":5}}', configMap, 'json: cannot unmarshal number into Go struct field ConfigMap.data of type string'],
    ['a string for an integer', '{"spec":{"replicas":"3"}}', deployment, 'json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32'],
    ['an integer out of range', '{"spec":{"replicas":3000000000}}', deployment, 'json: cannot unmarshal number 3000000000 into Go struct field DeploymentSpec.spec.replicas of type int32'],
    ['a fraction for an integer', '{"spec":{"containers":[{"ports":[{"containerPort":1.5}]}]}}', pod, 'json: cannot unmarshal number 1.5 into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32'],
    ['a number for a string type', '{"spec":{"restartPolicy":1}}', pod, 'json: cannot unmarshal number into Go struct field PodSpec.spec.restartPolicy of type v1.RestartPolicy'],
    ['a string for a boolean', '{"spec":{"hostNetwork":"true"}}', pod, 'json: cannot unmarshal string into Go struct field PodSpec.spec.hostNetwork of type bool'],
    ['a list for a struct behind a pointer', '{"spec":{"securityContext":[]}}', pod, 'json: cannot unmarshal array into Go struct field PodSpec.spec.securityContext of type v1.PodSecurityContext'],
    ['a field of an embedded struct', '{"spec":{"volumes":[{"emptyDir":1}]}}', pod, 'json: cannot unmarshal number into Go struct field Volume.spec.volumes.emptyDir of type v1.EmptyDirVolumeSource'],
    ['a bad quantity', '{"spec":{"containers":[{"resources":{"limits":{"cpu":"1x"}}}]}}', pod, "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"],
    ['a bad time', '{"metadata":{"creationTimestamp":"yesterday"}}', pod, 'parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006"'],
    ['a time that is a number', '{"metadata":{"creationTimestamp":1}}', pod, 'json: cannot unmarshal number into Go value of type string'],
    ['bytes that are not base64', '{"binaryData":{"b":"***"}}', configMap, 'illegal base64 data at input byte 0'],
    ['bytes cut short', '{"binaryData":{"b":"YWJjZA="}}', configMap, 'illegal base64 data at input byte 7'],
    ['a port that is a boolean', '{"spec":{"containers":[{"livenessProbe":{"httpGet":{"port":true}}}]}}', pod, 'json: cannot unmarshal bool into Go value of type int32'],
    ['a whole object that is a list', '[]', pod, 'json: cannot unmarshal array into Go value of type v1.Pod'],
    ['two wrong types: the first one', '{"spec":{"nodeName":1,"hostPID":2}}', pod, 'json: cannot unmarshal number into Go struct field PodSpec.spec.nodeName of type string'],
  ])('refuses %s as upstream does', (_, text, schema, message) => {
    expect(() => read(schema, text)).toThrow(DecodeError)
    expect(() => read(schema, text)).toThrow(new DecodeError(message))
  })

  const careless = '{"metadata":{"name":"a","nope":2},"data":{"a":"1","a":"2"},"unknownOne":{"x":1,"x":2}}'
  const found = ['unknown field "metadata.nope"', 'duplicate field "data.a"', 'unknown field "unknownOne"']

  it('reports unknown and duplicate fields as warnings, and prunes them', () => {
    expect(read(configMap, careless)).toEqual({ object: { metadata: { name: 'a' }, data: { a: '2' } }, problems: found })
  })
  it('says nothing of them when asked to ignore', () => {
    expect(read(configMap, careless, 'ignore').problems).toEqual([])
  })
  it('refuses them when strict', () => {
    expect(() => read(configMap, careless, 'strict')).toThrow(`strict decoding error: ${found.join(', ')}`)
  })
  it('names list items by index', () => {
    expect(read(pod, '{"spec":{"containers":[{"name":"c"},{"imagee":"x"}]}}').problems).toEqual(['unknown field "spec.containers[1].imagee"'])
  })

  it.each<[string, string, ObjectSchema, unknown]>([
    ['quantities', '{"spec":{"containers":[{"name":"c","resources":{"limits":{"cpu":"0.1","memory":1024}}}]}}', pod, { spec: { containers: [{ name: 'c', resources: { limits: { cpu: '100m', memory: '1024' } } }] } }],
    ['times', '{"metadata":{"name":"a","deletionTimestamp":"2020-01-01T01:00:00.5+02:00"}}', pod, { metadata: { name: 'a', deletionTimestamp: '2019-12-31T23:00:00Z' } }],
    ['empty values that Go leaves out', '{"metadata":{"name":"a","labels":{},"finalizers":[]},"spec":{"hostPID":false,"nodeName":"","automountServiceAccountToken":false,"tolerations":null}}', pod, { metadata: { name: 'a' }, spec: { containers: [], automountServiceAccountToken: false } }],
    ['nulls in lists', '{"spec":{"containers":[{"name":"c","args":[null,"x"]}]}}', pod, { spec: { containers: [{ name: 'c', args: ['', 'x'] }] } }],
    ['64-bit integers', '{"metadata":{"name":"a","generation":9007199254740993}}', pod, { metadata: { name: 'a', generation: 9007199254740993n } }],
  ])('brings %s into the form that is stored', (_, text, schema, want) => {
    expect(read(schema, text).object).toEqual(want)
  })
})

describe('lists that Go always writes', () => {
  it('are there after decoding, and null when written empty', () => {
    const { object } = read(pod, '{"spec":{}}')
    expect(object).toEqual({ spec: { containers: [] } })
    expect(normalize(pod, object)).toEqual({ metadata: {}, spec: { containers: null }, status: {} })
  })
})

describe('normalize', () => {
  it('writes what Go writes of an empty Deployment', () => {
    expect(normalize(deployment, {})).toEqual({ metadata: {}, spec: { selector: null, strategy: {}, template: { metadata: {}, spec: { containers: null } } }, status: {} })
  })
  it('writes zero times of conditions as null, and no creation time', () => {
    expect(normalize(deployment, { metadata: { name: 'a' }, status: { conditions: [{ type: 'Available', status: 'True' }] } })).toMatchObject({
      metadata: { name: 'a' }, status: { conditions: [{ type: 'Available', status: 'True', lastUpdateTime: null, lastTransitionTime: null }] },
    })
  })
})

const facts = process.env.BERTH_FACTS
const folder = facts === undefined ? '' : path.join(facts, 'roundtrip')
describe.skipIf(!fs.existsSync(folder))(`every field of every kind (${facts === undefined ? 'skipped: BERTH_FACTS names no folder' : 'facts/roundtrip'})`, () => {
  const files = fs.existsSync(folder) ? fs.readdirSync(folder).filter((f) => f.endsWith('.json')) : []
  const schemaOfFile = (file: string): ObjectSchema | undefined => {
    const [name = '', version = '', ...group] = file.replace('.json', '').split('.').reverse()
    return schemaOf({ group: group.reverse().join('.').replace(/^core$/, ''), version, kind: name })
  }
  const known = files.filter((f) => schemaOfFile(f) !== undefined)
  it('is known', () => {
    expect(files.filter((f) => !known.includes(f) && !/v\d+(alpha|beta)\d|WatchEvent/.test(f))).toEqual([])
  })
  it.each(known)('reads and writes %s in the same bytes', (file) => {
    const text = fs.readFileSync(path.join(folder, file), 'utf8')
    const object = JSON.parse(text) as unknown
    const schema = schemaOfFile(file)
    if (!schema) throw new Error('no schema')
    const { object: decoded } = decode(schema, parseJson(text).value, 'strict')
    expect(JSON.stringify(normalize(schema, decoded), null, 2)).toBe(JSON.stringify(object, null, 2))
  })
})
