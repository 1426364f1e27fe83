import type { CustomResourceDefinition } from '../types/apiextensions/v1.ts'

export function defaultCustomResourceDefinition(crd: CustomResourceDefinition): void {
  const spec = (crd.spec ??= { group: '', names: { plural: '', kind: '' }, scope: '', versions: [] })
  const { names, versions } = spec
  if (names) {
    if (!names.singular && names.kind) names.singular = names.kind.toLowerCase()
    if (!names.listKind && names.kind) names.listKind = `${names.kind}List`
  }
  spec.conversion ??= { strategy: 'None' }
  const service = spec.conversion.webhook?.clientConfig?.service
  if (service) service.port ??= 443
  const stored = versions?.find(({ storage }) => storage)?.name
  if (stored !== undefined && !crd.status?.storedVersions?.length) crd.status = { ...crd.status, storedVersions: [stored] }
}
