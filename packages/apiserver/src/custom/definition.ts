// A CustomResourceDefinition as resources that can be served: the stored version first, then a view for each other one.
import { parseJsonPath } from '@berth/api'
import type { FieldError, Json, JsonObject, PrinterColumn, ResourceInfo, SubresourceInfo } from '@berth/api'
import type { CustomResourceDefinition, CustomResourceDefinitionNames, CustomResourceDefinitionVersion, CustomResourceSubresourceScale } from '@berth/api/types/apiextensions/v1'
import type { ApiObject } from '../interfaces.ts'
import type { Conversion, ProjectionSubresource, ResourceDefinition } from '../registry/definition.ts'
import { bumpGeneration } from '../registry/system-fields.ts'
import { asRecord, cloneValue, equalValues } from '../registry/values.ts'
import { keepStatus, statusReset, statusSubresource } from '../resources/common.ts'
import { customRules } from './rules.ts'
import type { ExtraValidation } from './rules.ts'

const verbs = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch']

/** Makes the validation beyond the schema's own of one version (CEL rules); none where it has none. */
export type ExtraOf = (schema: JsonObject, version: string) => ExtraValidation | undefined

/** What a definition serves, by the names that were accepted. The stored version comes first, served or not. */
export function definitionsOf(crd: CustomResourceDefinition, names: CustomResourceDefinitionNames, extraOf: ExtraOf, conversion?: Conversion): { stored: ResourceDefinition, views: ResourceDefinition[], servesStored: boolean } {
  const storage = crd.spec.versions.find((version) => version.storage)
  if (!storage) throw new Error(`${crd.metadata.name} stores no version`)
  const stored = definitionOf(crd, names, storage, undefined, extraOf, conversion)
  const views = crd.spec.versions.filter((version) => version !== storage && version.served).map((version) => definitionOf(crd, names, version, stored.resource, extraOf, conversion))
  return { stored, views, servesStored: storage.served }
}

function definitionOf(crd: CustomResourceDefinition, names: CustomResourceDefinitionNames, version: CustomResourceDefinitionVersion, of: ResourceInfo | undefined, extraOf: ExtraOf, conversion: Conversion | undefined): ResourceDefinition {
  const { group, scope } = crd.spec
  const gvk = { group, version: version.name, kind: names.kind }
  const schema = (version.schema?.openAPIV3Schema ?? {}) as JsonObject
  const hasStatus = version.subresources?.status !== undefined
  const scale = version.subresources?.scale
  const resource: ResourceInfo = {
    group, version: version.name, resource: names.plural, singular: names.singular ?? names.kind.toLowerCase(), kind: names.kind, namespaced: scope === 'Namespaced', verbs,
    shortNames: names.shortNames ?? [], categories: names.categories ?? [], subresources: subresourcesOf(names.kind, hasStatus, scale),
  }
  const apiVersion = `${group}/${version.name}`
  const storedApiVersion = of && `${of.group}/${of.version}`
  return {
    resource,
    storagePrefix: `${group}/${names.plural}`,
    rules: customRules({ gvk, namespaced: resource.namespaced, schema, columns: version.additionalPrinterColumns as PrinterColumn[] | undefined, hasStatus }, extraOf(schema, version.name)),
    ...(version.deprecated ? { deprecation: version.deprecationWarning ?? `${apiVersion} ${names.kind} is deprecated` } : {}),
    ...(conversion ? { conversion } : {}),
    // Conversion None: the same object under another apiVersion.
    ...(of && storedApiVersion !== undefined ? { view: { of, toStored: (object) => ({ ...object, apiVersion: storedApiVersion }), fromStored: (object) => ({ ...object, apiVersion }) } } : {}),
    ...(hasStatus ? { resetFields: statusReset } : {}),
    prepareForCreate(object) {
      if (hasStatus) delete object['status']
      object.metadata.generation = 1
    },
    prepareForUpdate(object, old) {
      if (hasStatus) keepStatus(object, old)
      bumpGeneration(object, !equalValues(withoutMeta(object, hasStatus), withoutMeta(old, hasStatus)))
    },
    fieldLabels: Object.fromEntries((version.selectableFields ?? []).map(({ jsonPath }) => [jsonPath.replace(/^\./, ''), readerOf(jsonPath)])),
    subresources: { ...(hasStatus ? { status: statusSubresource({ keepMeta: false }) } : {}), ...(scale ? { scale: scaleOf(scale) } : {}) },
  }
}

function subresourcesOf(kind: string, hasStatus: boolean, scale: CustomResourceSubresourceScale | undefined): SubresourceInfo[] {
  const methods = ['get', 'patch', 'update']
  return [
    ...(hasStatus ? [{ name: 'status', group: '', version: '', kind, verbs: methods }] : []),
    ...(scale ? [{ name: 'scale', group: 'autoscaling', version: 'v1', kind: 'Scale', verbs: methods }] : []),
  ]
}

function withoutMeta(object: ApiObject, hasStatus: boolean): Record<string, unknown> {
  const { metadata: _, apiVersion: __, kind: ___, ...rest } = object
  if (hasStatus) delete rest['status']
  return rest
}

/** Reads a field as field selectors compare it: text, '' where it is missing. */
function readerOf(jsonPath: string): (object: ApiObject) => string {
  const read = parseJsonPath(jsonPath)
  return (object) => {
    const [value] = read(object as unknown as Json)
    return value === undefined || value === null ? '' : String(value)
  }
}

/** /scale by the paths that the definition gives: fields joined by dots, below .spec and .status. */
function scaleOf({ specReplicasPath, statusReplicasPath, labelSelectorPath }: CustomResourceSubresourceScale): ProjectionSubresource {
  const at = (object: ApiObject, path: string): unknown => stepsOf(path).reduce<unknown>((value, step) => asRecord(value)?.[step], object)
  const replicasAt = (object: ApiObject, path: string): number => {
    const value = at(object, path)
    return typeof value === 'number' ? value : 0
  }
  return {
    type: 'projection',
    kind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
    project(parent) {
      const { name, namespace, uid, resourceVersion, creationTimestamp } = parent.metadata
      const selector = labelSelectorPath === undefined ? undefined : at(parent, labelSelectorPath)
      const replicas = replicasAt(parent, specReplicasPath)
      return {
        kind: 'Scale', apiVersion: 'autoscaling/v1',
        metadata: { name, ...(namespace && { namespace }), ...(uid && { uid }), ...(resourceVersion && { resourceVersion }), creationTimestamp },
        spec: replicas === 0 ? {} : { replicas },
        status: { replicas: replicasAt(parent, statusReplicasPath), ...(typeof selector === 'string' && selector !== '' ? { selector } : {}) },
      } as unknown as ApiObject
    },
    validate(projected): FieldError[] {
      const replicas = asRecord(projected['spec'])?.['replicas'] ?? 0
      return typeof replicas === 'number' && replicas < 0 ? [{ type: 'Invalid', field: 'spec.replicas', badValue: replicas, detail: 'must be greater than or equal to 0' }] : []
    },
    writeBack(projected, parent) {
      const steps = stepsOf(specReplicasPath)
      const last = steps.pop()
      if (last === undefined) return
      let place = parent as unknown as Record<string, unknown>
      for (const step of steps) {
        const next = cloneValue(asRecord(place[step]) ?? {}) as Record<string, unknown>
        place[step] = next
        place = next
      }
      place[last] = asRecord(projected['spec'])?.['replicas'] ?? 0
      if (projected.metadata.resourceVersion) parent.metadata.resourceVersion = projected.metadata.resourceVersion
    },
  }
}

function stepsOf(path: string): string[] {
  return path.split('.').filter((step) => step !== '')
}
