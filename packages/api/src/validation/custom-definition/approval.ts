import type { CustomResourceDefinition } from '../../types/apiextensions/v1.ts'

export const approvalAnnotation = 'api-approved.kubernetes.io'
const link = 'see https://github.com/kubernetes/enhancements/pull/1111'

/** What a definition says of its approval, and how that reads. */
export interface ApiApproval {
  readonly state: 'missing' | 'unapproved' | 'approved' | 'invalid'
  readonly message: string
}

/** The approval of a definition in a group of the community, which must point to it or say that there is none; undefined for other groups. */
export function apiApproval({ metadata, spec }: CustomResourceDefinition): ApiApproval | undefined {
  if (!/(?:^|\.)(?:k8s|kubernetes)\.io$/.test(spec.group ?? '')) return undefined
  const said = metadata.annotations?.[approvalAnnotation] ?? ''
  if (said === '') return { state: 'missing', message: `protected groups must have approval annotation "${approvalAnnotation}", ${link}` }
  if (said.startsWith('unapproved')) return { state: 'unapproved', message: `not approved: ${JSON.stringify(said)}` }
  if (/^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/?#\s]+[^\s]*$/.test(said)) return { state: 'approved', message: `approved in ${said}` }
  return { state: 'invalid', message: `protected groups must have approval annotation "${approvalAnnotation}" with either a URL or a reason starting with "unapproved", ${link}` }
}
