import type { Pod, PodSpec } from '../../types/core/v1.ts'
import type { ObjectMeta } from '../../types/meta/v1.ts'
import { textOf } from '../common.ts'
import { forbidden, invalid } from '../field-errors.ts'
import type { FieldError } from '../field-errors.ts'
import { containersWithPaths } from './context.ts'
import { checkDescendingPath } from './paths.ts'

export const mirrorAnnotation = 'kubernetes.io/config.mirror'
const deletionCost = 'controller.kubernetes.io/pod-deletion-cost'
const seccompPod = 'seccomp.security.alpha.kubernetes.io/pod'
const seccompContainer = 'container.seccomp.security.alpha.kubernetes.io/'
const appArmorContainer = 'container.apparmor.security.beta.kubernetes.io/'

/** Annotations that mean something for pods, in a Pod or a template. */
export function checkPodAnnotations(annotations: Record<string, string> | undefined, spec: PodSpec, at: string): FieldError[] {
  const errors: FieldError[] = []
  const mirror = annotations?.[mirrorAnnotation]
  if (mirror !== undefined && textOf(spec.nodeName) === '') errors.push(invalid(`${at}[${mirrorAnnotation}]`, mirror, 'must set spec.nodeName if mirror pod annotation is set'))
  const cost = annotations?.[deletionCost]
  if (cost !== undefined && !isInt32(cost)) errors.push(invalid(`${at}[${deletionCost}]`, cost, 'must be a 32bit integer'))
  for (const [key, value] of Object.entries(annotations ?? {})) {
    if (key === seccompPod || key.startsWith(seccompContainer)) errors.push(...checkSeccomp(value, `${at}.${key}`))
    if (key.startsWith(appArmorContainer)) errors.push(...checkAppArmor(key, value, spec, at))
  }
  return errors
}

const isInt32 = (text: string) => text === '0' || (/^-?[1-9]\d*$/.test(text) && Number(text) >= -(2 ** 31) && Number(text) < 2 ** 31)

function checkSeccomp(profile: string, field: string): FieldError[] {
  if (['runtime/default', 'docker/default', 'unconfined'].includes(profile)) return []
  return profile.startsWith('localhost/') ? checkDescendingPath(field, profile.slice('localhost/'.length)) : [invalid(field, profile, 'must be a valid seccomp profile')]
}

function checkAppArmor(key: string, profile: string, spec: PodSpec, at: string): FieldError[] {
  const name = key.slice(appArmorContainer.length)
  const errors: FieldError[] = []
  if (!containersWithPaths(spec, 'spec').some(({ container }) => container.name === name)) errors.push(invalid(`${at}[${key}]`, name, 'container not found'))
  if (profile !== '' && profile !== 'runtime/default' && profile !== 'unconfined' && !profile.startsWith('localhost/')) {
    errors.push(invalid(`${at}[${key}]`, profile, `invalid AppArmor profile name: "${profile}"`))
  }
  return errors
}

/** On update: the mirror annotation and AppArmor's stay as they are. */
export function checkPodAnnotationsUpdate(pod: Pod, old: Pod, at: string): FieldError[] {
  const now = pod.metadata.annotations ?? {}
  const before = old.metadata.annotations ?? {}
  const errors: FieldError[] = []
  for (const [key, value] of Object.entries(before)) {
    if (now[key] === value) continue
    if (key.startsWith(appArmorContainer)) errors.push(forbidden(`${at}[${key}]`, 'may not remove or update AppArmor annotations'))
    if (key === mirrorAnnotation) errors.push(forbidden(`${at}[${key}]`, 'may not remove or update mirror pod annotation'))
  }
  for (const key of Object.keys(now)) {
    if (key in before) continue
    if (key.startsWith(appArmorContainer)) errors.push(forbidden(`${at}[${key}]`, 'may not add AppArmor annotations'))
    if (key === mirrorAnnotation) errors.push(forbidden(`${at}[${key}]`, 'may not add mirror pod annotation'))
  }
  return [...errors, ...checkPodAnnotations(now, pod.spec, at)]
}

interface Profile {
  readonly type?: string
  readonly localhostProfile?: string
}

/** Where an old annotation and today's field both name a profile, they name the same. */
export function checkProfilesMatch(meta: ObjectMeta, spec: PodSpec, at: string): FieldError[] {
  const annotations = meta.annotations ?? {}
  const containers = containersWithPaths(spec, at)
  const errors: FieldError[] = []
  const ofPod = annotations[seccompPod]
  if (ofPod !== undefined) errors.push(...match(ofPod, spec.securityContext?.seccompProfile, `${at}.securityContext.seccompProfile`, 'seccomp', ['runtime/default', 'docker/default']))
  for (const { container, path } of containers) {
    const value = annotations[seccompContainer + textOf(container.name)]
    if (value !== undefined) errors.push(...match(value, container.securityContext?.seccompProfile, `${path}.securityContext.seccompProfile`, 'seccomp', ['runtime/default', 'docker/default']))
  }
  if (spec.os?.name === 'windows') return errors
  for (const { container, path } of containers) {
    const value = annotations[appArmorContainer + textOf(container.name)]
    const profile = container.securityContext?.appArmorProfile ?? spec.securityContext?.appArmorProfile
    if (value !== undefined) errors.push(...match(value, profile, `${path}.securityContext.appArmorProfile`, 'apparmor', ['runtime/default']))
  }
  return errors
}

function match(annotation: string, profile: Profile | undefined, at: string, what: string, runtimeDefaults: readonly string[]): FieldError[] {
  const differs = [forbidden(`${at}.type`, `${what} type in annotation and field must match`)]
  switch (profile?.type) {
    case 'Unconfined': return annotation === 'unconfined' ? [] : differs
    case 'RuntimeDefault': return runtimeDefaults.includes(annotation) ? [] : differs
    case 'Localhost':
      if (!annotation.startsWith('localhost/')) return differs
      return annotation.slice('localhost/'.length) === profile.localhostProfile ? [] : [forbidden(`${at}.localhostProfile`, `${what} profile in annotation and field must match`)]
    default: return []
  }
}
