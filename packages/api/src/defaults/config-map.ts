import type { ConfigMap } from '../types/core/v1.ts'

/** In memory a ConfigMap always has data; the empty map is not written. */
export function defaultConfigMap(map: ConfigMap): void {
  if (map.data && Object.keys(map.data).length === 0) delete map.data
}
