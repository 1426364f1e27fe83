import protobuf from 'protobufjs'
import { describe, expect, test } from 'vitest'
import descriptor from '../descriptor/cri-v1.json' with { type: 'json' }
import { declarations, type FieldDescriptor, type MessageDescriptor } from '../descriptor/descriptor.ts'
import { jsonName } from '../descriptor/names.ts'
import { codecOf } from '../services.ts'

const messages = [...declarations].filter((entry): entry is [string, MessageDescriptor] => 'fields' in entry[1])

/** Small deterministic generator, so that a failure can be seen again. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

function sample(type: string, random: () => number, depth: number): unknown {
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T
  if (type === 'string') return pick(['a', 'päth/ü', 'x'.repeat(300), '\u{1f6a2}'])
  if (type === 'bool') return true
  if (type === 'bytes') return Buffer.from([1, 0, 255])
  if (type === 'int64') return pick([1n, -1n, 1763731638123456789n, 2n ** 63n - 1n, -(2n ** 63n)])
  if (type === 'uint64') return pick([1n, 2n ** 64n - 1n, 1n << 35n])
  if (type === 'int32') return pick([1, -1, 137, 2 ** 31 - 1, -(2 ** 31)])
  if (type === 'uint32') return pick([1, 2 ** 32 - 1])
  if (type === 'double') return pick([0.25, -1e300])
  const declaration = declarations.get(type)
  if (declaration && 'values' in declaration) return pick(Object.keys(declaration.values))
  return declaration && 'fields' in declaration ? sampleMessage(declaration, random, depth + 1) : {}
}

function sampleMessage(declaration: MessageDescriptor, random: () => number, depth = 0): Record<string, unknown> {
  const message: Record<string, unknown> = {}
  for (const [name, field] of Object.entries(declaration.fields) as [string, FieldDescriptor][]) {
    if (depth > 4 || random() < 0.2) continue
    if (field.keyType) message[jsonName(name)] = { 'io.kubernetes/a': 'b', '': 'empty' }
    else if (field.rule === 'repeated') message[jsonName(name)] = [sample(field.type, random, depth), sample(field.type, random, depth)]
    else message[jsonName(name)] = sample(field.type, random, depth)
  }
  return message
}

describe('the codec', () => {
  test('reads back what it wrote, for every message and many fillings', () => {
    for (const [name, declaration] of messages) {
      for (let seed = 0; seed < 20; seed++) {
        const codec = codecOf(name)
        const once = codec.decode(codec.encode(sampleMessage(declaration, randomFrom(seed))))
        expect(codec.decode(codec.encode(once)), `${name} ${seed}`).toEqual(once)
      }
    }
  })

  test('agrees with protobufjs on the bytes of every message', () => {
    const root = protobuf.Root.fromJSON(structuredClone(descriptor) as unknown as protobuf.INamespace)
    for (const [name, declaration] of messages) {
      const nested = name === 'ProfileType' ? `SecurityProfile.${name}` : name
      const type = root.lookupType(`runtime.v1.${nested}`)
      for (let seed = 100; seed < 110; seed++) {
        const bytes = codecOf(name).encode(sampleMessage(declaration, randomFrom(seed)))
        expect(Buffer.from(type.encode(type.decode(bytes)).finish()).equals(bytes), `${name} ${seed}`).toBe(true)
      }
    }
  })

  test('fills what the bytes do not say with defaults, and leaves absent messages absent', () => {
    expect(codecOf('ContainerStatus').decode(new Uint8Array(0))).toEqual({
      id: '',
      state: 'CONTAINER_CREATED',
      createdAt: 0n,
      startedAt: 0n,
      finishedAt: 0n,
      exitCode: 0,
      imageRef: '',
      reason: '',
      message: '',
      labels: {},
      annotations: {},
      mounts: [],
      logPath: '',
      imageId: '',
      stopSignal: 'RUNTIME_DEFAULT',
    })
  })

  test('keeps a nanosecond timestamp exact', () => {
    const codec = codecOf('PodSandbox')
    expect(codec.decode(codec.encode({ createdAt: 1763731638123456789n }))['createdAt']).toBe(1763731638123456789n)
  })

  test('keeps a zero that is wrapped in a message', () => {
    const codec = codecOf('LinuxContainerSecurityContext')
    expect(codec.decode(codec.encode({ runAsUser: { value: 0n } }))['runAsUser']).toEqual({ value: 0n })
  })

  test('passes over unknown fields of every wire type', () => {
    const unknown = Buffer.from([0xf8, 0x07, 0x96, 0x01, 0xfa, 0x07, 0x02, 1, 2, 0xf9, 0x07, 1, 2, 3, 4, 5, 6, 7, 8, 0xfd, 0x07, 1, 2, 3, 4, 0x0a, 0x01, 0x78])
    expect(codecOf('ListPodSandboxResponse').decode(unknown.subarray(0, -3))).toEqual({ items: [] })
    expect(codecOf('RunPodSandboxResponse').decode(unknown)).toEqual({ podSandboxId: 'x' })
  })

  test('keeps the number of an enumeration value that it does not know', () => {
    expect(codecOf('NamespaceOption').decode(Buffer.from([0x08, 0x63]))['network']).toBe(99)
  })

  test('takes a map key named __proto__ as any other key', () => {
    const codec = codecOf('PodSandboxFilter')
    const hostile = JSON.parse('{"__proto__": "x"}') as Record<string, string>
    const decoded = codec.decode(codec.encode({ labelSelector: hostile })) as { labelSelector: Record<string, string> }
    expect(Object.keys(decoded.labelSelector)).toEqual(['__proto__'])
  })

  test.each([
    ['VersionRequest', { version: 1 }, 'VersionRequest.version: expected a string, got 1'],
    ['RunPodSandboxRequest', { config: { metadata: { attempt: -1 } } }, 'RunPodSandboxRequest.config: PodSandboxConfig.metadata: PodSandboxMetadata.attempt: -1 is not an integer between 0 and 4294967295'],
    ['PodSandbox', { state: 'GONE' }, 'PodSandbox.state: GONE is no PodSandboxState'],
    ['PodSandbox', { createdAt: 1.5 }, 'PodSandbox.createdAt: expected a bigint, got 1.5'],
    ['PodSandbox', { labels: { a: 1 } }, 'PodSandbox.labels: ["a"]: expected a string'],
  ])('refuses to write a wrong value of %s and names the field', (name, message, expected) => {
    expect(() => codecOf(name).encode(message)).toThrow(expected)
  })

  test('either decodes or throws WireError on any bytes, and on every truncation of a real message', () => {
    const random = randomFrom(7)
    const attempt = (name: string, bytes: Uint8Array): void => {
      try {
        codecOf(name).decode(bytes)
      } catch (error) {
        expect(error).toMatchObject({ name: 'WireError' })
      }
    }
    for (let round = 0; round < 3000; round++) {
      const [name] = messages[Math.floor(random() * messages.length)] ?? ['VersionRequest']
      attempt(name, Uint8Array.from({ length: Math.floor(random() * 60) }, () => Math.floor(random() * 256)))
    }
    const declaration = declarations.get('CreateContainerRequest') as MessageDescriptor
    const whole = codecOf('CreateContainerRequest').encode(sampleMessage(declaration, randomFrom(3)))
    for (let end = 0; end < whole.length; end += 7) attempt('CreateContainerRequest', whole.subarray(0, end))
  })
})
