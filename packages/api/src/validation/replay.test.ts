import fs from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { applyDefaults } from '../defaults/index.ts'
import { decode, DecodeError, normalize } from '../decode/index.ts'
import { parseJson } from '../json/index.ts'
import type { JsonObject } from '../schema/index.ts'
import { schemaOf } from '../schema/index.ts'
import { warningsOf } from '../warnings/index.ts'
import { hasValidation, statusCauses, validateCreate } from './index.ts'

// Replays the recorded creations of a stock API server without a server: parse, decode, defaults, validation. What a server does in between (admission, allocation of
// addresses and ports, names of requests) is left out, and answers that come from there are not compared.

const parity = process.env['BERTH_PARITY']
const files = ['defaults', 'validation', 'invalid-pods', 'invalid-services', 'invalid-workloads', 'invalid-others', 'resources', 'admission', 'subresources', 'lists', 'deletion', 'patches']

interface Step {
  readonly method?: string
  readonly path: string
  readonly body?: JsonObject
  readonly raw?: string
  readonly want?: { readonly status: number; readonly body: JsonObject; readonly warnings?: string[] }
}

/** Answers that another part of a server gives: allocators, admission, the request's own checks. */
const elsewhere = [
  'services: clusterIP out of range', 'services: nodePort out of range', 'services: IPv6 family on v4 cluster', 'services: dual required', 'pods: other namespace in body', 'pods: priority set by hand',
  'pods: unknown service account', 'limit ranges', 'pod security', 'namespaces and classes',
  // Selectors of jobs are made by the server, which also compiles CEL.
  'jobs: ', 'customresourcedefinitions: bad CEL',
]

/** Warnings of decoding, of deprecated resources, of admission. */
const fromElsewhere = /^(unknown field|duplicate field|v1 Endpoints is deprecated|would violate PodSecurity)/

interface Case {
  readonly name: string
  readonly step: Step
  readonly body: JsonObject
}

function casesOf(file: string): Case[] {
  const { scenarios } = JSON.parse(fs.readFileSync(path.join(parity ?? '', 'cases', `${file}.json`), 'utf8')) as { scenarios: { name: string; steps: Step[] }[] }
  return scenarios.flatMap(({ name, steps }) => steps.flatMap((step, i) => {
    const { body } = step
    if (step.method !== 'POST' || !step.want?.body || !body || typeof body !== 'object' || Array.isArray(body) || step.path.includes('?')) return []
    if (!hasValidation(gvkOf(body)) || elsewhere.some((other) => name.startsWith(other))) return []
    return [{ name: `${file}: ${name}, step ${i}`, step, body }]
  }))
}

function gvkOf(body: JsonObject): { group: string; version: string; kind: string } {
  const parts = String(body['apiVersion'] ?? '').split('/')
  return { group: parts.length === 2 ? (parts[0] ?? '') : '', version: parts.at(-1) ?? '', kind: String(body['kind'] ?? '') }
}

/** The object as the server has it before validation: decoded, defaulted, in its namespace, with a generated name and a service account; a service's addresses in both fields. */
function prepared(body: JsonObject, requestPath: string): JsonObject {
  const gvk = gvkOf(body)
  const schema = schemaOf(gvk)
  if (!schema) throw new Error(`no schema of ${gvk.kind}`)
  const { value, duplicates } = parseJson(Buffer.from(JSON.stringify(body)))
  const object = decode(schema, value, 'warn', duplicates).object as JsonObject
  applyDefaults(gvk, object)
  const metadata = (object['metadata'] ??= {}) as JsonObject
  const namespace = /\/namespaces\/([^/]+)\//.exec(requestPath)?.[1]
  if (namespace !== undefined) metadata['namespace'] ??= namespace
  if (!metadata['name'] && metadata['generateName']) metadata['name'] = `${String(metadata['generateName'])}abcde`
  const spec = object['spec'] as JsonObject | undefined
  if (gvk.kind === 'Pod' && spec) spec['serviceAccountName'] ??= 'default'
  if (gvk.kind === 'Service' && spec?.['clusterIP']) spec['clusterIPs'] ??= [spec['clusterIP']]
  return object
}

const mask = (text: string): string => text.replace(/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, '<time>').replace(/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, '<uid>')

/** Fields of an answer that admission, allocation or the server itself writes. */
const serverSet: Readonly<Record<string, readonly string[]>> = {
  Pod: ['priority', 'preemptionPolicy', 'tolerations', 'serviceAccount', 'serviceAccountName', 'volumes', 'volumeMounts', 'imagePullSecrets'],
  Service: ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy', 'nodePort', 'healthCheckNodePort'],
  Namespace: ['finalizers'],
  Node: ['taints'],
}

function comparable(value: unknown, leftOut: readonly string[], key = ''): unknown {
  if (Array.isArray(value)) return key === 'volumes' ? undefined : value.map((item) => comparable(item, leftOut))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).filter(([name]) => !leftOut.includes(name)).map(([name, item]) => [name, comparable(item, leftOut, name)]))
}

describe.skipIf(parity === undefined)('recorded creations (skipped without BERTH_PARITY: the recorded answers of a stock server)', () => {
  const cases = parity === undefined ? [] : files.flatMap(casesOf)
  const refused = cases.filter(({ step }) => step.want?.status === 422 || step.want?.status === 400)
  const created = cases.filter(({ step, body }) => step.want?.status === 201 && body['kind'] !== 'Binding' && body['kind'] !== 'Eviction' && !String(body['kind']).endsWith('Review'))

  it.each(refused.filter(({ step }) => step.want?.status === 422))('$name: is refused with the same causes', ({ step, body }) => {
    const causes = statusCauses(validateCreate(gvkOf(body), prepared(body, step.path))).map((cause) => ({ ...cause, message: mask(cause.message) }))
    expect(step.want?.body['details']).toHaveProperty('causes', causes)
  })

  it.each(refused.filter(({ step }) => step.want?.status === 400))('$name: cannot be decoded, for the same reason', ({ step, body }) => {
    let message: string | undefined
    try {
      prepared(body, step.path)
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      message = error.message
    }
    if (message !== undefined) expect(mask(String(step.want?.body['message']))).toContain(mask(message).slice(0, 30))
  })

  it.each(created)('$name: is well-formed and gets the same defaults', ({ step, body }) => {
    const gvk = gvkOf(body)
    const object = prepared(body, step.path)
    expect(statusCauses(validateCreate(gvk, object))).toEqual([])
    const warnings = (step.want?.warnings ?? []).map((header) => String(JSON.parse(header.slice('299 - '.length)))).filter((text) => !fromElsewhere.test(text))
    expect(warningsOf(gvk, object)).toEqual(warnings)
    const schema = schemaOf(gvk)
    if (!schema) throw new Error(`no schema of ${gvk.kind}`)
    const leftOut = ['status', 'metadata', ...(serverSet[gvk.kind] ?? [])]
    expect(comparable(normalize(schema, object), leftOut)).toEqual(comparable(step.want?.body, leftOut))
  })
})
