import { describe, expect, it } from 'vitest'
import { negotiate, wantsPretty } from './media-types.ts'

describe('an Accept header', () => {
  it.each<[string | undefined, string, string]>([
    [undefined, 'json', 'object'],
    ['*/*', 'json', 'object'],
    ['application/json', 'json', 'object'],
    ['application/yaml', 'yaml', 'object'],
    ['application/json;as=Table;v=v1;g=meta.k8s.io,application/json', 'json', 'Table'],
    ['application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1;g=meta.k8s.io,application/json', 'json', 'Table'],
    ['application/vnd.kubernetes.protobuf,application/json', 'protobuf', 'object'],
    ['application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json', 'protobuf', 'PartialObjectMetadata'],
    ['application/json;as=Table;v=v9;g=meta.k8s.io,application/json', 'json', 'object'],
    ['application/yaml;q=0.5,application/json', 'json', 'object'],
  ])('%s is answered as %s %s', (accept, format, as) => {
    expect(negotiate(accept, ['object', 'Table', 'PartialObjectMetadata'])).toMatchObject({ format, as })
  })

  it('is refused when nothing in it is served', () => {
    expect(() => negotiate('text/html', ['object'])).toThrow('only the following media types are accepted')
  })

  it.each<[string, string | undefined, boolean]>([
    ['', 'curl/8', true], ['', 'kubectl/v1.36', false], ['pretty=0', 'curl/8', false], ['pretty=true', undefined, true],
  ])('with query %s and user agent %s: pretty is %s', (query, agent, want) => {
    expect(wantsPretty(new URLSearchParams(query), agent)).toBe(want)
  })
})
