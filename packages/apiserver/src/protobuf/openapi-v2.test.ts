import { describe, expect, it } from 'vitest'
import { encodeOpenApiV2 } from './openapi-v2.ts'
import { Reader } from './reader.ts'

/** Nested messages by the numbers of their fields: what a field's content is, in order of the bytes. */
function fields(bytes: Uint8Array): Array<[number, Uint8Array | number]> {
  const reader = new Reader(bytes)
  const out: Array<[number, Uint8Array | number]> = []
  while (!reader.done) {
    const { number, wire } = reader.tag()
    out.push([number, wire === 0 ? Number(reader.varint()) : reader.bytes()])
  }
  return out
}

/** The contents that the numbers lead to, from message to message. */
function at(bytes: Uint8Array, ...path: number[]): Array<Uint8Array | number> {
  return path.reduce<Array<Uint8Array | number>>((parts, number) => parts.flatMap((p) => (typeof p === 'number' ? [] : fields(p).filter(([n]) => n === number).map(([, v]) => v))), [bytes])
}

const texts = (parts: Array<Uint8Array | number>): string[] => parts.map((p) => (typeof p === 'number' ? String(p) : Buffer.from(p).toString()))

describe('encodeOpenApiV2', () => {
  it('writes a small document in the bytes of a stock server', () => {
    const bytes = Buffer.from(encodeOpenApiV2({ swagger: '2.0', info: { title: 'Kubernetes', version: '1.32' } }))
    expect(bytes.toString('hex')).toBe('0a03322e3012120a0a4b756265726e657465731204312e3332')
  })

  it('writes definitions by name, with their fields, references and extensions', () => {
    const bytes = encodeOpenApiV2({
      definitions: {
        'a.B': {
          description: 'b', type: 'object', required: ['x', 'y'], 'x-kubernetes-group-version-kind': [{ group: '', kind: 'B', version: 'v1' }],
          properties: { x: { type: 'array', items: { $ref: '#/definitions/a.C' }, 'x-kubernetes-list-type': 'map' }, y: { type: 'object', additionalProperties: { type: 'string', format: 'byte' } }, z: { type: 'string', enum: ['p', 'q'] } },
        },
        'a.C': {},
      },
    })
    const [b = new Uint8Array()] = at(bytes, 9, 1, 2) as Uint8Array[]
    expect(texts(at(bytes, 9, 1, 1))).toEqual(['a.B', 'a.C'])
    expect([texts(at(b, 4)), texts(at(b, 22, 1)), texts(at(b, 19))]).toEqual([['b'], ['object'], ['x', 'y']])
    expect([texts(at(b, 31, 1)), texts(at(b, 31, 2, 2))]).toEqual([['x-kubernetes-group-version-kind'], ['[{"group":"","kind":"B","version":"v1"}]\n']])
    expect(texts(at(b, 25, 1, 1))).toEqual(['x', 'y', 'z'])
    expect([texts(at(b, 25, 1, 2, 23, 1, 1)), texts(at(b, 25, 1, 2, 31, 1)), texts(at(b, 25, 1, 2, 21, 1, 2)), texts(at(b, 25, 1, 2, 20, 2))])
      .toEqual([['#/definitions/a.C'], ['x-kubernetes-list-type'], ['byte'], ['"p"\n', '"q"\n']])
  })

  it('writes operations with each kind of parameter, in place or by reference', () => {
    const bytes = encodeOpenApiV2({
      paths: {
        '/x/{name}': {
          patch: {
            consumes: ['application/json'], operationId: 'patchX', tags: ['x_v1'], 'x-kubernetes-action': 'patch',
            parameters: [{ in: 'body', name: 'body', required: true, schema: { $ref: '#/definitions/X' } }, { in: 'query', name: 'fieldValidation', type: 'string', uniqueItems: true }, { $ref: '#/parameters/force-1' }],
            responses: { 200: { description: 'OK', schema: { $ref: '#/definitions/X' } }, 401: { description: 'Unauthorized' } },
          },
          parameters: [{ in: 'path', name: 'name', required: true, type: 'string', uniqueItems: true }],
        },
      },
      parameters: { 'force-1': { in: 'query', name: 'force', type: 'boolean' } },
    })
    expect(texts(at(bytes, 8, 2, 1))).toEqual(['/x/{name}'])
    const [item = new Uint8Array()] = at(bytes, 8, 2, 2) as Uint8Array[]
    expect([texts(at(item, 8, 5)), texts(at(item, 8, 7)), texts(at(item, 8, 13, 2, 2))]).toEqual([['patchX'], ['application/json'], ['"patch"\n']])
    // ParametersItem: parameter 1 (body 1, others 2: query 3, path 4), reference 2.
    expect([texts(at(item, 8, 8, 1, 1, 2)), at(item, 8, 8, 1, 1, 4), texts(at(item, 8, 8, 1, 1, 5, 1))]).toEqual([['body'], [1], ['#/definitions/X']])
    expect([texts(at(item, 8, 8, 1, 2, 3, 4)), at(item, 8, 8, 1, 2, 3, 20)]).toEqual([['fieldValidation'], [1]])
    expect(texts(at(item, 8, 8, 2, 1))).toEqual(['#/parameters/force-1'])
    expect([texts(at(item, 9, 1, 2, 4, 4)), at(item, 9, 1, 2, 4, 1), at(item, 9, 1, 2, 4, 19)]).toEqual([['name'], [1], [1]])
    expect([texts(at(item, 8, 9, 1, 1)), texts(at(item, 8, 9, 1, 2, 1, 1)), texts(at(item, 8, 9, 1, 2, 1, 2, 1, 1))]).toEqual([['200', '401'], ['OK', 'Unauthorized'], ['#/definitions/X']])
    expect([texts(at(bytes, 10, 1, 1)), texts(at(bytes, 10, 1, 2, 2, 3, 4))]).toEqual([['force-1'], ['force']])
  })

  it('writes how one is known', () => {
    const bytes = encodeOpenApiV2({ securityDefinitions: { BearerToken: { type: 'apiKey', name: 'authorization', in: 'header' } }, security: [{ BearerToken: [] }] })
    expect([texts(at(bytes, 13, 1, 1)), texts(at(bytes, 13, 1, 2, 2, 2)), texts(at(bytes, 12, 1, 1)), at(bytes, 12, 1, 2).length]).toEqual([['BearerToken'], ['authorization'], ['BearerToken'], 1])
  })

  it.each([
    ['a key', { definitions: { X: { oneOf: [] } } }, "no field of OpenAPI v2's protobuf for .definitions.X.oneOf"],
    ['a place of parameters', { parameters: { x: { in: 'cookie' } } }, "no field of OpenAPI v2's protobuf for a parameter in cookie"],
  ])('refuses %s that it has no field for', (_, document, message) => expect(() => encodeOpenApiV2(document)).toThrow(message))
})
