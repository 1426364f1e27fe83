import type { PodTemplate } from '../types/core/v1.ts'
import { defaultPodTemplate } from './pod/spec.ts'

export function defaultPodTemplateObject(object: PodTemplate): void {
  object.template ??= {}
  defaultPodTemplate(object.template)
}
