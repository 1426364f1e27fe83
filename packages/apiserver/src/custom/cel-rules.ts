// x-kubernetes-validations: the CEL rules of a custom resource's schema, run where the values they belong to are (upstream: apiserver/schema/cel).
import { celTypes, compile, evaluate, ruleEnvironment, schemaType } from '@berth/cel'
import type { Environment, Program } from '@berth/cel'
import { counterpart, structuralOf } from '@berth/api'
import type { FieldError, Json, JsonObject, Structural, ValidationRule } from '@berth/api'
import { equalValues } from '../registry/values.ts'
import type { ExtraValidation } from './rules.ts'

/** What all rules of one object may cost together (RuntimeCELCostBudget). */
const budget = 10_000_000

interface CompiledRule {
  readonly rule: ValidationRule
  /** Undefined with `error`: a rule that does not compile was refused with its definition, but for one stored before. */
  readonly program: Program | undefined
  readonly error: string | undefined
  readonly message: Program | undefined
  /** It speaks of what was before. */
  readonly usesOld: boolean
}

/** A schema's rules, where it or what is below it has any. */
interface RuleNode {
  readonly schema: Structural
  readonly rules: readonly CompiledRule[]
  readonly properties: ReadonlyMap<string, RuleNode>
  readonly additional: RuleNode | undefined
  readonly items: RuleNode | undefined
}

/** The rules of a schema, compiled; undefined where it has none. */
export function celRules(source: JsonObject): ExtraValidation | undefined {
  const node = compileNode(structuralOf(source), true)
  if (!node) return undefined
  return (object, old) => {
    const run = new Run()
    run.visit(node, object as unknown as Json, old as unknown as Json | undefined, '')
    return run.errors
  }
}

function compileNode(schema: Structural, isRoot: boolean): RuleNode | undefined {
  const properties = new Map<string, RuleNode>()
  for (const [name, property] of schema.properties) {
    const node = compileNode(property, false)
    if (node) properties.set(name, node)
  }
  const additional = schema.additional && schema.additional !== true ? compileNode(schema.additional, false) : undefined
  const items = schema.items ? compileNode(schema.items, false) : undefined
  if (schema.rules.length === 0 && properties.size === 0 && !additional && !items) return undefined
  return { schema, rules: compileRules(schema, isRoot), properties, additional, items }
}

function compileRules(schema: Structural, isRoot: boolean): CompiledRule[] {
  if (schema.rules.length === 0) return []
  const type = schemaType(schema.source as Parameters<typeof schemaType>[0], { resource: isRoot || schema.embeddedResource }) ?? celTypes.dynType
  const environments = new Map<boolean, Environment>()
  const environment = (optionalOldSelf: boolean): Environment => {
    const made = environments.get(optionalOldSelf) ?? ruleEnvironment(type, { optionalOldSelf })
    environments.set(optionalOldSelf, made)
    return made
  }
  return schema.rules.map((rule) => {
    const optional = rule.optionalOldSelf === true
    const { program, error } = compile(rule.rule, environment(optional))
    const message = rule.messageExpression === undefined ? undefined : compile(rule.messageExpression, environment(optional)).program
    return { rule, program, error, message, usesOld: program?.references.has('oldSelf') === true }
  })
}

/** One object's rules being run. */
class Run {
  readonly errors: FieldError[] = []
  #left = budget

  /**
   * `old` is what the value is to be compared with; undefined where nothing of the old object is this value, which then is unchanged where
   * what holds it is. What is unchanged is let be by all rules but those that speak of what was before (CRDValidationRatcheting).
   */
  visit(node: RuleNode, value: Json, old: Json | undefined, path: string, parentUnchanged = false): void {
    const unchanged = old === undefined ? parentUnchanged : equalValues(old, value)
    for (const rule of node.rules) if (!(unchanged && !rule.usesOld) && !this.#check(node.schema, rule, value, old, path)) return
    if (Array.isArray(value)) {
      const { items } = node
      if (!items) return
      const before = Array.isArray(old) ? old : []
      for (const [i, item] of value.entries()) this.visit(items, item, counterpart(node.schema, item, before), `${path}[${i}]`, unchanged)
      return
    }
    if (typeof value !== 'object' || value === null) return
    const before = typeof old === 'object' && old !== null && !Array.isArray(old) ? old : {}
    for (const [name, member] of Object.entries(value)) {
      const child = node.properties.get(name) ?? (node.schema.properties.has(name) ? undefined : node.additional)
      if (child) this.visit(child, member, before[name], node.schema.properties.has(name) ? `${path}${path === '' ? '' : '.'}${name}` : `${path}[${name}]`, unchanged)
    }
  }

  /** False where no more rules may be run. */
  #check(schema: Structural, { rule, program, error, message, usesOld }: CompiledRule, value: Json, old: Json | undefined, path: string): boolean {
    const type = typeName(schema)
    if (error !== undefined || !program) {
      this.errors.push({ type: 'Invalid', field: path, badValue: type, detail: `rule compile error: ${error ?? ''}` })
      return true
    }
    // On updates alone, unless the old value is optional to it.
    if (usesOld && rule.optionalOldSelf !== true && old === undefined) return true
    const result = evaluate(program, { self: value, oldSelf: old }, { costLimit: Math.min(this.#left, 1_000_000) })
    this.#left -= result.cost
    if (this.#left <= 0) {
      this.errors.push({ type: 'Invalid', field: path, badValue: type, detail: 'validation failed due to running out of cost budget, no further validation rules will be run' })
      return false
    }
    if (result.error) {
      const detail = result.error.name === 'CelCancelledError' ? `call cost exceeds limit for rule: ${oneLine(rule.rule)}` : `${result.error.message} evaluating rule: ${oneLine(rule.message ?? rule.rule)}`
      this.errors.push({ type: 'Invalid', field: path, badValue: type, detail })
    } else if (result.value !== true) this.errors.push(refusal(rule, this.#messageOf(rule, message, value, old), type, path))
    return true
  }

  #messageOf(rule: ValidationRule, message: Program | undefined, value: Json, old: Json | undefined): string {
    if (message) {
      const { value: said, cost } = evaluate(message, { self: value, oldSelf: old }, { costLimit: Math.min(this.#left, 1_000_000) })
      this.#left -= cost
      if (typeof said === 'string' && said.trim() !== '' && !/[\n\r]/.test(said.trim()) && said.trim().length <= 5 * 1024) return said.trim()
    }
    return rule.message?.trim() || `failed rule: ${oneLine(rule.rule)}`
  }
}

function refusal(rule: ValidationRule, detail: string, type: string, path: string): FieldError {
  const field = rule.fieldPath === undefined ? path : `${path}${rule.fieldPath}`.replace(/^\./, '')
  switch (rule.reason) {
    case 'FieldValueForbidden': return { type: 'Forbidden', field, detail }
    case 'FieldValueRequired': return { type: 'Required', field, detail }
    case 'FieldValueDuplicate': return { type: 'Duplicate', field, badValue: type, detail }
    default: return { type: 'Invalid', field, badValue: type, detail }
  }
}

function typeName(schema: Structural): string {
  return schema.type === '' && schema.intOrString ? '' : schema.type
}

function oneLine(text: string): string {
  return text.trim().replace(/\s*\n\s*/g, ' ')
}
