import { applyDefaults } from '../../defaults/index.ts'
import type { GroupVersionKind } from '../../schema/index.ts'
import type { Pod } from '../../types/core/v1.ts'
import { fieldErrorMessage, validateCreate, validateUpdate } from '../index.ts'

/** `apps/v1/Deployment` or `v1/Pod` as a group, version and kind. */
export function gvkOf(name: string): GroupVersionKind {
  const parts = name.split('/')
  const [kind = '', version = '', group = ''] = parts.reverse()
  return { group, version, kind }
}

/** The problems of a defaulted object on creation, each as one line. */
export function problems(kind: string, object: object, options = {}): string[] {
  const copy = structuredClone(object)
  applyDefaults(gvkOf(kind), copy)
  return validateCreate(gvkOf(kind), copy, options).map(fieldErrorMessage)
}

/** The problems of changing `old` into `object`, each once. */
export function updateProblems(kind: string, object: object, old: object, subresource = ''): string[] {
  const [now, before] = [structuredClone(object), structuredClone(old)]
  applyDefaults(gvkOf(kind), now)
  applyDefaults(gvkOf(kind), before)
  return [...new Set(validateUpdate(gvkOf(kind), now, before, subresource).map(fieldErrorMessage))]
}

/** Metadata of a stored object in a namespace. */
export const stored = { name: 'x', namespace: 'default', uid: 'u', resourceVersion: '1' }

/** A well-formed pod, with more of a spec. */
export function podWith(spec: object = {}, metadata: object = {}): Pod {
  return { metadata: { name: 'x', namespace: 'default', ...metadata }, spec: { containers: [{ name: 'c', image: 'i' }], ...spec } } as Pod
}

/** A pod whose one container has these fields besides name and image. */
export const podWithContainer = (container: object, spec: object = {}): Pod => podWith({ containers: [{ name: 'c', image: 'i', ...container }], ...spec })
