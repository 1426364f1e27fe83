import { expect, test } from 'vitest'
import { layerLocality } from './layer-locality.ts'
import { clusterOf, nodeOf, verdictsOf } from './placement/scores.test-support.ts'
import { layersOf } from './placement/image-layers.ts'

const mebi = 2 ** 20
const base = `aaaaaaaaaaaa:${400 * mebi}`
const app = `bbbbbbbbbbbb:${100 * mebi}`
const imagesOf = (name: string, bytes: number) => ({ images: [{ names: [name], sizeBytes: bytes }] })
const withLayers = (name: string, layers: string[], images: Record<string, string>, status = {}) => nodeOf(name, {}, { 'berth.dev/image-layers': JSON.stringify({ layers, images }) }, status)

test.each<[string, ReturnType<typeof nodeOf>[], Record<string, number>]>([
  ['a node with the base has less to pull than one with nothing', [withLayers('whole', [base, app], { 'app:1': '0,1' }, imagesOf('app:1', 500 * mebi)), withLayers('base', [base], { 'base:1': '0' }), nodeOf('none')], { whole: 28, base: 24, none: 0 }],
  ['where nobody tells, an image counts as a whole', [nodeOf('whole', {}, {}, imagesOf('app:1', 500 * mebi)), withLayers('base', [base], { 'base:1': '0' }), nodeOf('none')], { whole: 14, base: 0, none: 0 }],
  ['a node that has the image has its layers, though it tells nothing', [withLayers('tells', [base, app], { 'app:1': '0,1' }, imagesOf('app:1', 500 * mebi)), nodeOf('silent', {}, {}, imagesOf('app:1', 500 * mebi))], { tells: 48, silent: 48 }],
  ['an annotation that cannot be read is none', [nodeOf('whole', {}, { 'berth.dev/image-layers': '{"layers":' }, imagesOf('app:1', 500 * mebi)), nodeOf('none')], { whole: 23, none: 0 }],
])('%s', (_, nodes, wanted) => {
  expect(verdictsOf(layerLocality(), clusterOf(nodes), { name: 'new', image: 'app:1' })).toEqual(wanted)
})

test.each<[string, string]>([
  ['no JSON', 'x'], ['no object', 'null'], ['no layers', '{"images":{}}'], ['a layer without its size', '{"layers":["aaaaaaaaaaaa"],"images":{}}'],
  ['an image of a layer that is not listed', '{"layers":[],"images":{"a":"0"}}'], ['a digest that is none', '{"layers":["xyz:1"],"images":{}}'],
])('%s is not read', (_, text) => {
  expect(layersOf(nodeOf('n', {}, { 'berth.dev/image-layers': text }))).toBeUndefined()
})
