// x-kubernetes-validations of CustomResourceDefinitions.
import { fieldErrors, schemaPlaces, structuralOf } from '@berth/api'
import type { FieldError, JsonObject, Structural, ValidationRule } from '@berth/api'
import type { CustomResourceDefinition } from '@berth/api/types/apiextensions/v1'
import { celTypes, ruleEnvironment, schemaType } from '@berth/cel'
import type { Environment } from '@berth/cel'
import { judge } from './compiled.ts'

/** What is wrong with the rules of a definition's schemas. */
export function definitionErrors(crd: CustomResourceDefinition): FieldError[] {
  return schemaPlaces(crd).flatMap(({ schema, at }) => checkSchema(structuralOf(schema as JsonObject), at, true, undefined))
}

/** `uncorrelated` is the first place on the way here below which old values cannot be told apart. */
function checkSchema(schema: Structural, at: string, isRoot: boolean, uncorrelated: string | undefined): FieldError[] {
  const inMap = uncorrelated ?? (schema.mapType === 'atomic' ? at : undefined)
  const inList = uncorrelated ?? (schema.listType === 'map' ? undefined : at)
  return [
    ...(schema.additional && schema.additional !== true ? checkSchema(schema.additional, `${at}.additionalProperties`, false, uncorrelated) : []),
    ...[...schema.properties].flatMap(([name, property]) => checkSchema(property, `${at}.properties[${name}]`, false, inMap)),
    ...(schema.items ? checkSchema(schema.items, `${at}.items`, false, inList) : []),
    ...(schema.rules.length === 0 ? [] : checkRules(schema, at, isRoot, uncorrelated)),
  ]
}

function checkRules(schema: Structural, at: string, isRoot: boolean, uncorrelated: string | undefined): FieldError[] {
  const type = schemaType(schema.source as Parameters<typeof schemaType>[0], { resource: isRoot || schema.embeddedResource }) ?? celTypes.dynType
  return schema.rules.flatMap((rule, i) => checkRule(rule, ruleEnvironment(type, { optionalOldSelf: rule.optionalOldSelf === true }), `${at}.x-kubernetes-validations[${i}]`, uncorrelated))
}

/** A rule as upstream prints it. */
const shown = ({ rule, message = '', messageExpression = '', reason = null, fieldPath = '', optionalOldSelf = null }: { [Field in keyof ValidationRule]: ValidationRule[Field] | null }): object =>
  ({ Rule: rule, Message: message, MessageExpression: messageExpression, Reason: reason, FieldPath: fieldPath, OptionalOldSelf: optionalOldSelf })

function checkRule(rule: ValidationRule, environment: Environment, at: string, uncorrelated: string | undefined): FieldError[] {
  const { problem, type, references } = judge(rule.rule, environment)
  if (problem !== undefined) return [fieldErrors.invalid(`${at}.rule`, shown(rule), problem)]
  if (type.kind !== 'bool') return [fieldErrors.invalid(`${at}.rule`, shown(rule), 'cel expression must evaluate to a bool')]
  const errors: FieldError[] = []
  if (rule.messageExpression) {
    const message = judge(rule.messageExpression, environment, 'messageExpression ')
    const wrong = message.problem ?? (message.type.kind === 'string' ? undefined : 'messageExpression must evaluate to a string')
    if (wrong !== undefined) errors.push(fieldErrors.invalid(`${at}.messageExpression`, shown(rule), wrong))
  }
  if (references.has('oldSelf')) {
    if (uncorrelated !== undefined) errors.push(fieldErrors.invalid(`${at}.rule`, rule.rule, `oldSelf cannot be used on the uncorrelatable portion of the schema within ${uncorrelated}`))
  } else if (rule.optionalOldSelf !== undefined) errors.push(fieldErrors.invalid(`${at}.optionalOldSelf`, rule.optionalOldSelf, 'may not be set if oldSelf is not used in rule'))
  return errors
}
