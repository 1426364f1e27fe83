import { fieldErrorMessage, invalid } from '../validation/field-errors.ts'
import { qualifiedName } from '../validation/formats.ts'
import { SelectorError } from './errors.ts'
import type { LabelOperator, LabelRequirement } from './labels.ts'

interface Token {
  readonly kind: 'identifier' | 'end' | 'error' | Operator
  readonly text: string
}

type Operator = (typeof literals)[number]
const literals = [')', ',', '!', '==', '=', '>', 'in', '<', '!=', 'notin', '('] as const
const isLiteral = (text: string): text is Operator => (literals as readonly string[]).includes(text)

/** Cuts a selector into tokens, the last of which is the end. */
function tokenize(text: string): Token[] {
  const tokens: Token[] = []
  for (let at = 0; at < text.length;) {
    if (/[ \t\r\n]/.test(text.charAt(at))) {
      at++
      continue
    }
    const special = /^[=!(),><]+/.exec(text.slice(at))
    const word = special ? longestLiteral(special[0]) : (/^[^=!(),><\s]+/.exec(text.slice(at))?.[0] ?? text.charAt(at))
    at += word.length
    if (isLiteral(word)) tokens.push({ kind: word, text: word })
    else tokens.push(special ? { kind: 'error', text: `error expected: keyword found '${word}'` } : { kind: 'identifier', text: word })
  }
  tokens.push({ kind: 'end', text: '' })
  return tokens
}

/** Symbols are read as long as they make a known one. */
function longestLiteral(symbols: string): string {
  let length = 1
  while (length < symbols.length && isLiteral(symbols.slice(0, length + 1))) length++
  return symbols.slice(0, length)
}

const binaryOperators: Partial<Record<Token['kind'], LabelOperator>> = { in: 'in', '=': '=', '==': '==', '>': 'gt', '<': 'lt', notin: 'notin', '!=': '!=' }

/** Reads a label selector's text by the grammar of labels.Parse; `make` checks and builds each requirement. Throws {@link SelectorError}. */
export function parseRequirements(text: string, make: (key: string, operator: LabelOperator, values: readonly string[]) => LabelRequirement): LabelRequirement[] {
  const tokens = tokenize(text)
  let position = 0
  const at = (): Token => tokens[Math.min(position, tokens.length - 1)] ?? { kind: 'end', text: '' }
  /** Where a value is expected, `in` and `notin` are plain words. */
  const asValue = (token: Token): Token => (token.kind === 'in' || token.kind === 'notin' ? { kind: 'identifier', text: token.text } : token)
  const peek = () => asValue(at())
  const take = () => {
    const token = at()
    position++
    return asValue(token)
  }
  const startsRequirement = (token: Token) => token.kind === 'identifier' || token.kind === '!'

  function requirement(): LabelRequirement {
    let negated = false
    let token = take()
    if (token.kind === '!') {
      negated = true
      token = take()
    }
    if (token.kind !== 'identifier') throw new SelectorError(`found '${token.text}', expected: identifier`)
    const key = token.text
    const problems = qualifiedName(key)
    if (problems.length > 0) throw new SelectorError(fieldErrorMessage(invalid('', key, problems.join('; '))))
    if (negated) return make(key, '!', [])
    const next = peek()
    if (next.kind === 'end' || next.kind === ',') return make(key, 'exists', [])
    const operator = binaryOperators[at().kind]
    if (!operator) throw new SelectorError(`found '${at().text}', expected: in, notin, =, ==, !=, gt, lt`)
    position++
    const values = operator === 'in' || operator === 'notin' ? valueList() : [exactValue()]
    return make(key, operator, [...new Set(values)].sort())
  }

  function exactValue(): string {
    const token = peek()
    if (token.kind === 'end' || token.kind === ',') return ''
    if (token.kind !== 'identifier') throw new SelectorError(`found '${token.text}', expected: identifier`)
    return take().text
  }

  function valueList(): string[] {
    const open = take()
    if (open.kind !== '(') throw new SelectorError(`found '${open.text}' expected: '('`)
    const first = peek()
    if (first.kind === ')') {
      take()
      return ['']
    }
    if (first.kind !== 'identifier' && first.kind !== ',') throw new SelectorError(`found '${first.text}', expected: ',', ')' or identifier`)
    const values: string[] = []
    for (;;) {
      const token = take()
      if (token.kind === 'identifier') {
        values.push(token.text)
        const after = peek()
        if (after.kind === ')') break
        if (after.kind !== ',') throw new SelectorError(`found '${after.text}', expected: ',' or ')'`)
      } else if (token.kind === ',') {
        if (values.length === 0) values.push('')
        const after = peek()
        if (after.kind === ')' || after.kind === ',') values.push('')
        if (after.kind === ')') break
      } else throw new SelectorError(`found '${token.text}', expected: ',', or identifier`)
    }
    take()
    return values
  }

  const requirements: LabelRequirement[] = []
  for (;;) {
    const token = peek()
    if (token.kind === 'end') return requirements
    if (!startsRequirement(token)) throw new SelectorError(`found '${token.text}', expected: !, identifier, or 'end of string'`)
    try {
      requirements.push(requirement())
    } catch (error) {
      if (error instanceof SelectorError) throw new SelectorError(`unable to parse requirement: ${error.message}`, { cause: error })
      throw error
    }
    const after = take()
    if (after.kind === 'end') return requirements
    if (after.kind !== ',') throw new SelectorError(`found '${after.text}', expected: ',' or 'end of string'`)
    if (!startsRequirement(peek())) throw new SelectorError(`found '${peek().text}', expected: identifier after ','`)
  }
}
