import type { ExpressionWarning, ValidatingAdmissionPolicy, Variable } from '@berth/api/types/admissionregistration/v1'
import { admissionEnvironment, celTypes, compile, type CelType, type Environment } from '@berth/cel'
import type { Kind } from './open-api.ts'

/** So many kinds of a policy are looked at. */
export const mostKinds = 10

/** A group, version and resource that a policy names without wildcards. */
export interface NamedResource {
  readonly group: string
  readonly version: string
  readonly resource: string
}

/** The resources that a policy is about; rules with wildcards name none, and subresources are left out. */
export function namedResources({ spec }: ValidatingAdmissionPolicy): NamedResource[] {
  const found: NamedResource[] = []
  for (const { apiGroups = [], apiVersions = [], resources = [] } of spec?.matchConstraints?.resourceRules ?? []) {
    if ([...apiGroups, ...apiVersions].some((text) => text.includes('*'))) continue
    for (const group of apiGroups.toSorted()) for (const version of apiVersions.toSorted()) for (const resource of resources.filter((text) => !/[*/]/.test(text)).toSorted()) found.push({ group, version, resource })
  }
  return found
}

/** A kind and the type of its objects. */
export interface TypedKind extends Kind {
  readonly type: CelType
}

/** What is wrong with a policy's expressions for the kinds that it is about, in upstream's words. `params`: undefined where it takes none. */
export function expressionWarnings({ spec }: ValidatingAdmissionPolicy, kinds: readonly TypedKind[], params: CelType | undefined): ExpressionWarning[] {
  const sorted = kinds.toSorted((a, b) => compare([a.group, a.version, a.kind], [b.group, b.version, b.kind]))
  const environments = sorted.map((kind) => ({ kind, environment: environmentOf(spec?.variables ?? [], kind.type, params) }))
  const check = (fieldRef: string, expression: string): ExpressionWarning[] => {
    const warnings = environments.flatMap(({ kind, environment }) => {
      const { error } = compile(expression, environment)
      return error === undefined ? [] : [`${kind.group}/${kind.version}, Kind=${kind.kind}: ${error.startsWith('program instantiation failed') ? '' : 'compilation failed: '}${error}\n`]
    })
    return warnings.length === 0 ? [] : [{ fieldRef, warning: warnings.join('\n') }]
  }
  return (spec?.validations ?? []).flatMap(({ expression, messageExpression = '' }, i) => [
    ...check(`spec.validations[${i}].expression`, expression),
    ...(messageExpression === '' ? [] : check(`spec.validations[${i}].messageExpression`, messageExpression)),
  ])
}

function compare(a: readonly string[], b: readonly string[]): number {
  const at = a.findIndex((text, i) => text !== b[i])
  return at < 0 ? 0 : (a[at] ?? '') < (b[at] ?? '') ? -1 : 1
}

/** Each variable is known to what follows it; one that is wrong itself is of any type. */
function environmentOf(variables: readonly Variable[], object: CelType, params: CelType | undefined): Environment {
  const types: Record<string, CelType> = {}
  const environment = (): Environment => admissionEnvironment({ authorizer: true, object, params: params ?? false, variables: { ...types } })
  for (const { name, expression } of variables) types[name] = compile(expression, environment()).program?.resultType ?? celTypes.dynType
  return environment()
}
