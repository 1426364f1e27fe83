// The YAML library, loaded when the first request speaks YAML: most servers never see one.
import type * as Yaml from 'yaml'

let library: typeof Yaml | undefined

/** Loads it. */
export async function loadYaml(): Promise<typeof Yaml> {
  library ??= await import('yaml')
  return library
}

/** A value as YAML. `loadYaml` must have resolved; the handler sees to it for requests that accept YAML. */
export function toYaml(value: unknown): string {
  if (!library) throw new Error('the YAML library is not loaded')
  return library.stringify(value)
}
