// x-kubernetes-validations of CustomResourceDefinitions.
import { fieldErrors, schemaPlaces, structuralOf } from '@berth/api'
import type { FieldError, JsonObject, Structural, ValidationRule } from '@berth/api'
import type { CustomResourceDefinition } from '@berth/api/types/apiextensions/v1'
import { celTypes, ruleEnvironment, schemaSizes, schemaType, sizesFrom } from '@berth/cel'
import type { Environment, RuleSchema, SchemaSizes } from '@berth/cel'
import { judge } from './compiled.ts'
import { partsOf, SchemaCost } from './costs.ts'
import type { Occurrences } from './costs.ts'

/** What is wrong with the rules of a definition's schemas. */
export function definitionErrors(crd: CustomResourceDefinition): FieldError[] {
  return schemaPlaces(crd).flatMap(({ schema, at }) => {
    const cost = new SchemaCost()
    return [...checkSchema(structuralOf(schema as JsonObject), { at, isRoot: true, uncorrelated: undefined, often: 1n, cost }), ...cost.errors(at)]
  })
}

/** Where a schema stands. */
interface Place {
  readonly at: string
  readonly isRoot: boolean
  /** The first place on the way here below which old values cannot be told apart. */
  readonly uncorrelated: string | undefined
  readonly often: Occurrences
  readonly cost: SchemaCost
}

function checkSchema(schema: Structural, place: Place): FieldError[] {
  const { at, uncorrelated, cost } = place
  const inMap = uncorrelated ?? (schema.mapType === 'atomic' ? at : undefined)
  const inList = uncorrelated ?? (schema.listType === 'map' ? undefined : at)
  const part = (name: string, uncorrelated: string | undefined): Place => ({ at: `${at}.${name}`, isRoot: false, uncorrelated, often: partsOf(schema, place.often), cost })
  return [
    ...(schema.additional && schema.additional !== true ? checkSchema(schema.additional, part('additionalProperties', uncorrelated)) : []),
    ...[...schema.properties].flatMap(([name, property]) => checkSchema(property, part(`properties[${name}]`, inMap))),
    ...(schema.items ? checkSchema(schema.items, part('items', inList)) : []),
    ...(schema.rules.length === 0 ? [] : checkRules(schema, place)),
  ]
}

function checkRules(schema: Structural, place: Place): FieldError[] {
  const source = schema.source as RuleSchema
  const resource = place.isRoot || schema.embeddedResource
  const type = schemaType(source, { resource }) ?? celTypes.dynType
  const sizes = schemaSizes(source, { resource })
  return schema.rules.flatMap((rule, i) => {
    const environment = ruleEnvironment(type, { optionalOldSelf: rule.optionalOldSelf === true })
    return checkRule(rule, { ...place, at: `${place.at}.x-kubernetes-validations[${i}]` }, environment, sizes)
  })
}

/** A rule as upstream prints it. */
const shown = ({ rule, message = '', messageExpression = '', reason = null, fieldPath = '', optionalOldSelf = null }: { [Field in keyof ValidationRule]: ValidationRule[Field] | null }): object =>
  ({ Rule: rule, Message: message, MessageExpression: messageExpression, Reason: reason, FieldPath: fieldPath, OptionalOldSelf: optionalOldSelf })

function checkRule(rule: ValidationRule, { at, uncorrelated, often, cost }: Place, environment: Environment, sizes: SchemaSizes | undefined): FieldError[] {
  const options = sizes === undefined ? {} : { sizes: sizesFrom(sizes) }
  const { problem, type, references, cost: worst } = judge(rule.rule, environment, options)
  if (problem !== undefined) return [fieldErrors.invalid(`${at}.rule`, shown(rule), problem)]
  if (type.kind !== 'bool') return [fieldErrors.invalid(`${at}.rule`, shown(rule), 'cel expression must evaluate to a bool')]
  const errors = cost.rule(`${at}.rule`, worst, often, sizes?.least ?? 0)
  if (rule.messageExpression) {
    const message = judge(rule.messageExpression, environment, { ...options, prefix: 'messageExpression ' })
    const wrong = message.problem ?? (message.type.kind === 'string' ? undefined : 'messageExpression must evaluate to a string')
    if (wrong !== undefined) errors.push(fieldErrors.invalid(`${at}.messageExpression`, shown(rule), wrong))
    else errors.push(...cost.message(`${at}.messageExpression`, message.cost ?? 0n))
  }
  if (references.has('oldSelf')) {
    if (uncorrelated !== undefined) errors.push(fieldErrors.invalid(`${at}.rule`, rule.rule, `oldSelf cannot be used on the uncorrelatable portion of the schema within ${uncorrelated}`))
  } else if (rule.optionalOldSelf !== undefined) errors.push(fieldErrors.invalid(`${at}.optionalOldSelf`, rule.optionalOldSelf, 'may not be set if oldSelf is not used in rule'))
  return errors
}
