// The metadata that the server owns: uid, creationTimestamp, generated names, what an update may not touch.
import { randomInt, randomUUID } from 'node:crypto'
import type { ApiObject, ObjectMetadata } from '../interfaces.ts'
import { formatTime } from './values.ts'

const nameAlphabet = 'bcdfghjklmnpqrstvwxz2456789'
const generatedSuffixLength = 5
const maxGeneratedBase = 63 - generatedSuffixLength

/** `base` with five random characters, cut to fit a DNS label: upstream's SimpleNameGenerator. */
export function generateName(base: string): string {
  let suffix = ''
  for (let i = 0; i < generatedSuffixLength; i++) suffix += nameAlphabet[randomInt(nameAlphabet.length)] ?? 'b'
  return base.slice(0, maxGeneratedBase) + suffix
}

/** Gives a new object its uid and creationTimestamp and takes away what only the server may set. */
export function fillSystemFields(object: ApiObject, now: number): void {
  const meta = object.metadata
  delete meta.deletionTimestamp
  delete meta.deletionGracePeriodSeconds
  delete meta.selfLink
  delete meta.resourceVersion
  delete meta.generation
  meta.creationTimestamp = formatTime(now)
  meta.uid = randomUUID()
}

/** Carries over what an update cannot change; what it may not change but did is left for validation to refuse. */
export function keepSystemFields(object: ApiObject, old: ApiObject): void {
  const meta = object.metadata
  const before = old.metadata
  if (!meta.uid) meta.uid = before.uid
  if (before.creationTimestamp) meta.creationTimestamp = before.creationTimestamp
  if (before.deletionTimestamp !== undefined) meta.deletionTimestamp = before.deletionTimestamp
  if (before.deletionGracePeriodSeconds !== undefined && meta.deletionGracePeriodSeconds === undefined) meta.deletionGracePeriodSeconds = before.deletionGracePeriodSeconds
  if (before.generation === undefined) delete meta.generation
  else meta.generation = before.generation
  delete meta.selfLink
}

/** Raises metadata.generation when `changed`; a kind without generations stays without. */
export function bumpGeneration(object: ApiObject, changed: boolean): void {
  if (changed) object.metadata.generation = (object.metadata.generation ?? 0) + 1
}

/** Equal owner references once, as upstream drops repeated ones. */
export function deduplicateOwners(object: ApiObject): void {
  const owners = object.metadata.ownerReferences
  if (!owners || owners.length < 2) return
  const seen = new Set<string>()
  object.metadata.ownerReferences = owners.filter((owner) => {
    const text = JSON.stringify(owner)
    if (seen.has(text)) return false
    seen.add(text)
    return true
  })
}

/** metadata with the revision where upstream's struct has it. */
export function withRevision(meta: ObjectMetadata, revision: number): ObjectMetadata {
  const { name, generateName: prefix, namespace, uid, resourceVersion: _, ...rest } = meta
  return {
    name, ...(prefix !== undefined && { generateName: prefix }), ...(namespace !== undefined && { namespace }), ...(uid !== undefined && { uid }),
    resourceVersion: String(revision), ...rest,
  }
}
