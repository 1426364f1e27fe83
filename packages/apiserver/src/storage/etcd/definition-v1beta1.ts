// CustomResourceDefinitions as a stock server stores them: in v1beta1, where what all versions share stands once, above them.
import type { ApiObject } from '../../interfaces.ts'
import { asRecord } from '../../registry/values.ts'

type Fields = Record<string, unknown>

/** apiextensions.k8s.io/v1 of a v1beta1 definition. */
export function definitionFromBeta(beta: ApiObject): ApiObject {
  const { version, versions, validation, subresources, additionalPrinterColumns, selectableFields, preserveUnknownFields, conversion, ...spec } = asRecord(beta['spec']) ?? {}
  const shared: Fields = { schema: validation, subresources, additionalPrinterColumns, selectableFields }
  const listed = Array.isArray(versions) && versions.length > 0 ? versions as Fields[] : [{ name: version, served: true, storage: true }]
  return {
    ...beta, apiVersion: 'apiextensions.k8s.io/v1',
    spec: {
      ...spec,
      versions: listed.map((each) => versionFromBeta(each, shared)),
      ...(conversion !== undefined && { conversion: conversionFromBeta(asRecord(conversion) ?? {}) }),
      // Its default was true then, and is false now.
      preserveUnknownFields: preserveUnknownFields ?? true,
    },
  }
}

function versionFromBeta(own: Fields, shared: Fields): Fields {
  const out: Fields = { ...own }
  for (const [name, value] of Object.entries(shared)) out[name] ??= value
  if (Array.isArray(out['additionalPrinterColumns'])) {
    out['additionalPrinterColumns'] = (out['additionalPrinterColumns'] as Fields[]).map(({ JSONPath: jsonPath, ...rest }) => ({ ...rest, jsonPath }))
  }
  return Object.fromEntries(Object.entries(out).filter(([, value]) => value !== undefined))
}

function conversionFromBeta({ strategy, webhookClientConfig, conversionReviewVersions }: Fields): Fields {
  if (strategy !== 'Webhook') return { strategy }
  return { strategy, webhook: { ...(webhookClientConfig !== undefined && { clientConfig: webhookClientConfig }), conversionReviewVersions: conversionReviewVersions ?? ['v1beta1'] } }
}
