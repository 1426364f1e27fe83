import type { RuntimeClass } from '../types/node/v1.ts'
import { canonicalizeResources } from './quantities.ts'

export function defaultRuntimeClass({ overhead }: RuntimeClass): void {
  canonicalizeResources(overhead?.podFixed)
}
