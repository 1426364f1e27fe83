import type { EnvFromSource, EnvVar, EnvVarSource } from '../../types/core/v1.ts'
import { checkFormat, checkRequired, checkRequiredFormat, child, textOf } from '../common.ts'
import { invalid } from '../field-errors.ts'
import type { FieldError } from '../field-errors.ts'
import { configMapKey, dns1123Label, dns1123Subdomain, envVarName } from '../formats.ts'
import { nameIsDnsSubdomain } from '../object-meta.ts'
import { checkFieldRef, checkResourceFieldRef, envFieldPaths } from './field-refs.ts'
import { checkDescendingPath } from './paths.ts'

/** A container's environment variables. */
export function checkEnv(env: readonly EnvVar[] | undefined, at: string): FieldError[] {
  return (env ?? []).flatMap((variable, i) => {
    const field = `${at}[${i}]`
    return [...checkRequiredFormat(child(field, 'name'), variable.name, envVarName), ...(variable.valueFrom ? checkValueFrom(variable.valueFrom, textOf(variable.value), child(field, 'valueFrom')) : [])]
  })
}

function checkKeyRef(ref: { name?: string; key?: string }, at: string): FieldError[] {
  return [...checkFormat(child(at, 'name'), textOf(ref.name), dns1123Subdomain), ...checkRequiredFormat(child(at, 'key'), ref.key, configMapKey)]
}

function checkValueFrom(source: EnvVarSource, value: string, at: string): FieldError[] {
  const errors: FieldError[] = []
  if (source.fieldRef) errors.push(...checkFieldRef(child(at, 'fieldRef'), source.fieldRef, envFieldPaths))
  if (source.resourceFieldRef) errors.push(...checkResourceFieldRef(child(at, 'resourceFieldRef'), source.resourceFieldRef, false))
  if (source.configMapKeyRef) errors.push(...checkKeyRef(source.configMapKeyRef, child(at, 'configMapKeyRef')))
  if (source.secretKeyRef) errors.push(...checkKeyRef(source.secretKeyRef, child(at, 'secretKeyRef')))
  if (source.fileKeyRef) {
    const field = child(at, 'fileKeyRef')
    errors.push(
      ...checkRequiredFormat(child(field, 'key'), source.fileKeyRef.key, envVarName),
      ...checkRequiredFormat(child(field, 'volumeName'), source.fileKeyRef.volumeName, dns1123Label),
      ...checkRequired(child(field, 'path'), source.fileKeyRef.path),
      ...checkDescendingPath(child(field, 'path'), textOf(source.fileKeyRef.path)),
    )
  }
  const count = Object.values(source).filter((part) => part !== undefined).length
  if (count === 0) errors.push(invalid(at, '', 'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`'))
  else if (value !== '') errors.push(invalid(at, '', 'may not be specified when `value` is not empty'))
  else if (count > 1) errors.push(invalid(at, '', 'may not have more than one field specified at a time'))
  return errors
}

/** ConfigMaps and Secrets whose keys all become variables. Upstream names the list where a count is wrong. */
export function checkEnvFrom(sources: readonly EnvFromSource[] | undefined, at: string): FieldError[] {
  return (sources ?? []).flatMap((source, i) => {
    const field = `${at}[${i}]`
    const errors = textOf(source.prefix) === '' ? [] : checkFormat(child(field, 'prefix'), textOf(source.prefix), envVarName)
    const refs = (['configMapRef', 'secretRef'] as const).filter((name) => source[name] !== undefined)
    for (const name of refs) {
      const ref = textOf(source[name]?.name)
      errors.push(...(ref === '' ? checkRequired(`${field}.${name}.name`, ref) : nameIsDnsSubdomain(ref, true).map((problem) => invalid(`${field}.${name}.name`, ref, problem))))
    }
    if (refs.length === 0) errors.push(invalid(at, '', 'must specify one of: `configMapRef` or `secretRef`'))
    if (refs.length > 1) errors.push(invalid(at, '', 'may not have more than one field specified at a time'))
    return errors
  })
}
