import type { Expr, Fold } from './ast.ts'

type CallExpr = Extract<Expr, { kind: 'call' }>

/** What a macro needs while it is expanded. */
export interface MacroHelp {
  id(): number
  fail(at: number, message: string): never
}

interface Macro {
  /** Called on a receiver, or on this plain name in front (`cel.bind`). */
  readonly receiver: 'any' | string
  readonly args: number
  expand(call: CallExpr, target: Expr, build: Builder): Expr
}

/** Macros by function name; the standard ones (has, all, exists, exists_one, map, filter) are the parser's own. */
export type MacroSet = ReadonlyMap<string, readonly Macro[]>

/** Expands a call that is a macro of the set; gives back any other call as it is. */
export function expandMacro(call: CallExpr, macros: MacroSet, help: MacroHelp): Expr {
  const { target } = call
  if (target === undefined) return call
  const macro = macros.get(call.name)?.find(macro =>
    macro.args === call.args.length && (macro.receiver === 'any' || target.kind === 'ident' && target.name === macro.receiver))
  return macro === undefined ? call : macro.expand(call, target, new Builder(call.at, help))
}

class Builder {
  private readonly at: number
  private readonly help: MacroHelp

  constructor(at: number, help: MacroHelp) {
    this.at = at
    this.help = help
  }

  private base(): { id: number; at: number } {
    return { id: this.help.id(), at: this.at }
  }

  ident(name: string): Expr {
    return { ...this.base(), kind: 'ident', name }
  }

  literal(value: boolean | bigint): Expr {
    return { ...this.base(), kind: 'literal', value }
  }

  list(...elements: Expr[]): Expr {
    return { ...this.base(), kind: 'list', elements, optional: new Set() }
  }

  map(): Expr {
    return { ...this.base(), kind: 'map', entries: [] }
  }

  call(name: string, ...args: Expr[]): Expr {
    return { ...this.base(), kind: 'call', name, args }
  }

  method(target: Expr, name: string, ...args: Expr[]): Expr {
    return { ...this.base(), kind: 'call', name, target, args }
  }

  fold(fold: Omit<Fold, 'accumulator'> & { accumulator?: string }): Expr {
    return { ...this.base(), kind: 'fold', accumulator: '@result', ...fold }
  }

  /** The same expression under ids of its own, since each id has one type. */
  copy(expr: Expr): Expr {
    const base = { id: this.help.id(), at: expr.at }
    switch (expr.kind) {
      case 'literal':
      case 'ident': return { ...expr, ...base }
      case 'select': return { ...expr, ...base, operand: this.copy(expr.operand) }
      case 'call': {
        const target = expr.target === undefined ? {} : { target: this.copy(expr.target) }
        return { ...expr, ...base, ...target, args: expr.args.map(arg => this.copy(arg)) }
      }
      case 'list': return { ...expr, ...base, elements: expr.elements.map(element => this.copy(element)) }
      case 'map': return { ...expr, ...base, entries: expr.entries.map(entry => ({ ...entry, key: this.copy(entry.key), value: this.copy(entry.value) })) }
      case 'struct': return { ...expr, ...base, fields: expr.fields.map(field => ({ ...field, value: this.copy(field.value) })) }
      case 'fold': return {
        ...expr, ...base, range: this.copy(expr.range), init: this.copy(expr.init), condition: this.copy(expr.condition),
        step: this.copy(expr.step), result: this.copy(expr.result),
      }
    }
  }

  variable(expr: Expr | undefined, message: string): string {
    if (expr?.kind === 'ident' && !expr.name.includes('.')) return expr.name
    return this.help.fail(expr?.at ?? this.at, message)
  }
}

const accumulator = '@result'

function twoVariables(build: Builder, call: CallExpr): { variable: string; variable2: string } {
  const variable = build.variable(call.args[0], 'argument must be a simple name')
  const variable2 = build.variable(call.args[1], 'argument must be a simple name')
  if (variable === variable2) build.variable(undefined, `duplicate variable name: ${variable2}`)
  return { variable, variable2 }
}

// Comprehensions over index and element of a list, or key and value of a map.
function twoVariableFold(args: number, parts: (build: Builder, call: CallExpr) => Pick<Fold, 'init' | 'condition' | 'step' | 'result'>): Macro {
  return {
    receiver: 'any', args,
    expand: (call, target, build) => build.fold({ range: target, ...twoVariables(build, call), ...parts(build, call) }),
  }
}

const argument = (call: CallExpr, index: number): Expr => call.args[index] ?? call

function transform(args: number, init: (build: Builder) => Expr, grow: (build: Builder, value: Expr, call: CallExpr) => Expr): Macro {
  return twoVariableFold(args, (build, call) => {
    const step = grow(build, argument(call, args - 1), call)
    return {
      init: init(build), condition: build.literal(true), result: build.ident(accumulator),
      step: args === 3 ? step : build.call('_?_:_', argument(call, 2), step, build.ident(accumulator)),
    }
  })
}

const appendToList = (build: Builder, value: Expr) => build.call('_+_', build.ident(accumulator), build.list(value))
const insertByKey = (build: Builder, value: Expr, call: CallExpr) =>
  build.call('cel.@mapInsert', build.ident(accumulator), build.ident(build.variable(call.args[0], 'argument must be a simple name')), value)
const insertEntry = (build: Builder, value: Expr) => build.call('cel.@mapInsert', build.ident(accumulator), value)

const twoVariableMacros: readonly [string, Macro][] = [
  ['all', twoVariableFold(3, (build, call) => ({
    init: build.literal(true), condition: build.call('@not_strictly_false', build.ident(accumulator)),
    step: build.call('_&&_', build.ident(accumulator), argument(call, 2)), result: build.ident(accumulator),
  }))],
  ['exists', twoVariableFold(3, (build, call) => ({
    init: build.literal(false), condition: build.call('@not_strictly_false', build.call('!_', build.ident(accumulator))),
    step: build.call('_||_', build.ident(accumulator), argument(call, 2)), result: build.ident(accumulator),
  }))],
  ...['existsOne', 'exists_one'].map((name): [string, Macro] => [name, twoVariableFold(3, (build, call) => ({
    init: build.literal(0n), condition: build.literal(true),
    step: build.call('_?_:_', argument(call, 2), build.call('_+_', build.ident(accumulator), build.literal(1n)), build.ident(accumulator)),
    result: build.call('_==_', build.ident(accumulator), build.literal(1n)),
  }))]),
  ...[3, 4].flatMap((args): [string, Macro][] => [
    ['transformList', transform(args, build => build.list(), appendToList)],
    ['transformMap', transform(args, build => build.map(), insertByKey)],
    ['transformMapEntry', transform(args, build => build.map(), insertEntry)],
  ]),
]

// A comprehension over nothing that only binds a name to a value.
function bind(build: Builder, name: string, value: Expr, result: Expr): Expr {
  return build.fold({
    range: build.list(), variable: '#unused', accumulator: name, init: value, condition: build.literal(false), step: build.ident(name), result,
  })
}

function optionalMap(name: string, wrap: (build: Builder, mapped: Expr) => Expr): [string, Macro] {
  return [name, {
    receiver: 'any', args: 2,
    expand: (call, target, build) => {
      const variable = build.variable(call.args[0], `${name}() variable name must be a simple identifier`)
      const mapped = bind(build, variable, build.method(build.copy(target), 'value'), argument(call, 1))
      return build.call('_?_:_', build.method(target, 'hasValue'), wrap(build, mapped), build.call('optional.none'))
    },
  }]
}

const optionalMacros = [optionalMap('optMap', (build, mapped) => build.call('optional.of', mapped)), optionalMap('optFlatMap', (_, mapped) => mapped)]

const sortBy: [string, Macro] = ['sortBy', {
  receiver: 'any', args: 2,
  expand: (call, target, build) => {
    const variable = build.variable(call.args[0], 'sortBy can only be applied to a list, identifier, comprehension, call or select expression')
    const keys = build.fold({
      range: build.ident('@__sortBy_input__'), variable, init: build.list(), condition: build.literal(true),
      step: build.call('_+_', build.ident(accumulator), build.list(argument(call, 1))), result: build.ident(accumulator),
    })
    return bind(build, '@__sortBy_input__', target, build.method(build.ident('@__sortBy_input__'), '@sortByAssociatedKeys', keys))
  },
}]

const bindMacro: [string, Macro] = ['bind', {
  receiver: 'cel', args: 3,
  expand: (call, _, build) => {
    const name = build.variable(call.args[0], 'cel.bind() variable names must be simple identifiers')
    return bind(build, name, argument(call, 1), argument(call, 2))
  },
}]

function macroSet(macros: readonly (readonly [string, Macro])[]): MacroSet {
  const set = new Map<string, Macro[]>()
  for (const [name, macro] of macros) set.set(name, [...set.get(name) ?? [], macro])
  return set
}

/** The macros of every Kubernetes environment beyond the standard ones. */
export const kubernetesMacros = macroSet([...twoVariableMacros, ...optionalMacros, sortBy])

/** The same with `cel.bind`, which device selectors have. */
export const macrosWithBind = macroSet([...twoVariableMacros, ...optionalMacros, sortBy, bindMacro])
