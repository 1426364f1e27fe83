import type { PodTemplate } from '../types/core/v1.ts'
import type { KindValidation } from './kind.ts'
import { checkMeta, checkMetaUpdate, nameIsDnsSubdomain } from './object-meta.ts'
import { checkPodTemplate } from './pod/template.ts'

export const podTemplateValidation: KindValidation<PodTemplate> = {
  namespaced: true,
  create: (object, { allowPrivileged }) => [...checkMeta(object.metadata, true, nameIsDnsSubdomain), ...checkPodTemplate(object.template, 'template', allowPrivileged)],
  update: (object, old, _subresource, { allowPrivileged }) => [...checkMetaUpdate(object.metadata, old.metadata), ...checkPodTemplate(object.template, 'template', allowPrivileged)],
}
