// Brings an object into the form in which it is stored: as upstream would encode it after a round trip through its Go types.
import { normalize } from '@berth/api'
import type { ObjectSchema } from '@berth/api'
import type { ApiObject } from '../interfaces.ts'

/** The object with empty optional fields dropped and required zero values present, `kind` and `apiVersion` kept. */
export function normalizeObject(schema: ObjectSchema, object: ApiObject): ApiObject {
  return { ...normalize(schema, object), kind: object.kind, apiVersion: object.apiVersion }
}
