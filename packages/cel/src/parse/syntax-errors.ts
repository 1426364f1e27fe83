import { errorText } from './source-error.ts'

/** What may begin a value, as upstream's grammar lists it. */
const operandStarts = '\'[\', \'{\', \'(\', \'.\', \'-\', \'!\', \'true\', \'false\', \'null\', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER'
const operands = `{${operandStarts}}`

interface Token {
  readonly text: string
  readonly at: number
  readonly kind: 'operand' | 'operator' | 'punctuation' | 'unknown' | 'end'
}

const patterns: readonly (readonly [Token['kind'], RegExp])[] = [
  ['operand', /(?:[rR][bB]?|[bB][rR]?)?(?:"""[^]*?"""|'''[^]*?'''|"(?:[^"\\\n]|\\[^])*"|'(?:[^'\\\n]|\\[^])*')/y],
  ['operand', /(?:\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?|0x[0-9a-fA-F]+u?|\d+[uU]?)/y],
  ['operator', /in\b/y],
  ['operand', /[A-Za-z_]\w*/y],
  ['operator', /&&|\|\||==|!=|<=|>=|[<>+*/%-]/y],
  ['punctuation', /[()[\]{}.,:?!]/y],
  // The lexer looks one character further where an operator of two may begin, and at the whole rest of a string that does not end.
  ['unknown', /["'][^\n]*|[=&|][^]?|[^]/y],
]

function tokensOf(source: string): Token[] {
  const tokens: Token[] = []
  for (let at = 0; at < source.length;) {
    const space = /(?:\s|\/\/[^\n]*)+/y
    space.lastIndex = at
    at += space.exec(source)?.[0].length ?? 0
    if (at >= source.length) break
    for (const [kind, pattern] of patterns) {
      pattern.lastIndex = at
      const text = pattern.exec(source)?.[0]
      if (text === undefined) continue
      tokens.push({ text, at, kind })
      at += text.length
      break
    }
  }
  return [...tokens, { text: '<EOF>', at: source.length, kind: 'end' }]
}

/**
 * Says what is wrong with an expression that does not parse, as upstream's parser does; undefined where we do not know its words. All characters that begin
 * no token are told, and the first token that is out of place.
 */
export function syntaxErrors(source: string): string | undefined {
  // Escaped names are beyond our parser.
  if (source.includes('`')) return undefined
  const all = tokensOf(source)
  const unknown = all.filter(token => token.kind === 'unknown').map(({ at, text }) => ({ at, message: `token recognition error at: '${text}'` }))
  const misplaced = new Walk(all.filter(token => token.kind !== 'unknown')).firstProblem()
  if (misplaced === 'unsure' || (misplaced === undefined && unknown.length === 0)) return undefined
  const problems = misplaced === undefined ? unknown : [...unknown, misplaced]
  return problems.sort((a, b) => a.at - b.at).map(({ at, message }) => errorText(source, at, `Syntax error: ${message}`)).join('\n')
}

interface Problem {
  readonly at: number
  readonly message: string
}

const closing: Readonly<Record<string, string>> = { '(': ')', 'call': ')', '[': ']', 'index': ']', '{': '}', 'entry': '}', 'struct': '}', '?': ':' }
const isOperandStart = (token: Token): boolean => token.kind === 'operand' || /^[[{(.\-!]$/.test(token.text)

class Walk {
  private readonly tokens: readonly Token[]
  /** The brackets that are open (`entry` is a map whose `:` has come), and `?` for a condition whose `:` has not. */
  private readonly open: string[] = []
  private position = 0

  constructor(tokens: readonly Token[]) {
    this.tokens = tokens
  }

  private get token(): Token {
    return this.tokens[this.position] ?? { text: '<EOF>', at: 0, kind: 'end' }
  }

  private get next(): Token {
    return this.tokens[this.position + 1] ?? this.token
  }

  firstProblem(): Problem | 'unsure' | undefined {
    // What stands before the place where a value is wanted.
    let before = ''
    let wantsValue = true
    while (this.position < this.tokens.length) {
      const problem: boolean | Problem | 'unsure' = wantsValue ? this.value(before) : this.afterValue(before)
      if (typeof problem !== 'boolean') return problem
      if (this.token.kind === 'end') return undefined
      before = this.token.text
      wantsValue = problem
      this.position++
    }
    return undefined
  }

  private fail(message: string): Problem {
    return { at: this.token.at, message }
  }

  // Each gives whether a value is wanted next, or what is wrong.
  private value(before: string): boolean | Problem | 'unsure' {
    const { token } = this
    const top = this.open.at(-1)
    if (token.kind === 'operand') return false
    if (token.text === '-' && this.next.kind === 'end') return 'unsure'
    if (token.text === '-' || token.text === '!' || token.text === '.') return true
    if (token.text === '(' || token.text === '[' || token.text === '{') {
      this.open.push(token.text)
      return true
    }
    const isFirst = before === '(' || before === '[' || before === '{'
    if (top !== undefined && token.text === closing[top] && top !== '?' && top !== '(' && top !== 'index' && top !== 'entry' && (isFirst || before === ',')) {
      this.open.pop()
      return false
    }
    if (token.text === '?' && (top === '[' || top === '{' || top === 'index' || top === 'struct')) return true
    if (token.kind === 'end') return this.endForValue(before, top)
    if (token.text === ':') return 'unsure'
    const wanted = before === '(' && top === 'call' ? `{${operandStarts.replace('\'(\', ', '\'(\', \')\', ')}}` : operands
    return this.fail(`${isOperandStart(this.next) ? 'extraneous' : 'mismatched'} input '${token.text}' expecting ${wanted}`)
  }

  private endForValue(before: string, top: string | undefined): Problem | 'unsure' {
    if (before === '!') return this.fail(`extraneous input '<EOF>' expecting ${operands}`)
    if (before === '.') return 'unsure'
    if (before === '[' && top === 'index') return this.fail(`mismatched input '<EOF>' expecting {${operandStarts.replace('\'!\', ', '\'!\', \'?\', ')}}`)
    if (before === '(' && top === 'call') return this.fail(`mismatched input '<EOF>' expecting {${operandStarts.replace('\'(\', ', '\'(\', \')\', ')}}`)
    if (before === ',' && top === '[') return this.fail('missing \']\' at \'<EOF>\'')
    const afterBracket = (close: string) => `{${operandStarts.replace(close === ']' ? '\'[\', ' : '\'{\', ', `$&'${close}', `).replace('\'.\', ', '\'.\', \',\', ').replace('\'!\', ', '\'!\', \'?\', ')}}`
    if ((before === '[' && top === '[') || (before === '{' && top === '{')) return this.fail(`mismatched input '<EOF>' expecting ${afterBracket(before === '[' ? ']' : '}')}`)
    if (before === '{' || (before === ',' && top !== 'call')) return 'unsure'
    return this.fail(`mismatched input '<EOF>' expecting ${operands}`)
  }

  private afterValue(before: string): boolean | Problem | 'unsure' {
    const { token } = this
    const top = this.open.at(-1)
    if (token.kind === 'operator') return true
    switch (token.text) {
      case '.': return this.selection()
      case '(':
      case '{':
        if (!/^[A-Za-z_]\w*$/.test(before)) return 'unsure'
        this.open.push(token.text === '(' ? 'call' : 'struct')
        return true
      case '[':
        this.open.push('index')
        return true
      case '?':
        this.open.push('?')
        return true
      case ',':
        if (top === 'entry') this.open[this.open.length - 1] = '{'
        return top === 'call' || top === '[' || top === 'entry' || top === 'struct' ? true : 'unsure'
      case ':':
        if (top === '?') this.open.pop()
        else if (top === '{') this.open[this.open.length - 1] = 'entry'
        else if (top !== 'struct') return 'unsure'
        return true
      default:
    }
    if (top === undefined) return token.kind === 'end' ? false : this.fail(`${this.next.kind === 'end' ? 'extraneous' : 'mismatched'} input '${token.text}' expecting <EOF>`)
    const close = closing[top] ?? ''
    if (token.text === close) {
      this.open.pop()
      return false
    }
    if (token.kind === 'end') return this.unclosed(top, close)
    return token.kind === 'operand' && this.next.text === close && close === ')' ? this.fail(`extraneous input '${token.text}' expecting '${close}'`) : 'unsure'
  }

  private unclosed(top: string, close: string): Problem | 'unsure' {
    if (top === '?' || top === '{') return this.fail('mismatched input \'<EOF>\' expecting \':\'')
    if (top === '[' || top === 'entry') return this.fail(`mismatched input '<EOF>' expecting {'${close}', ','}`)
    return top === 'struct' ? 'unsure' : this.fail(`missing '${close}' at '<EOF>'`)
  }

  // A dot takes a name, or `?` and a name.
  private selection(): boolean | Problem | 'unsure' {
    if (this.next.kind === 'operand' || this.next.text === '?') return true
    this.position++
    if (this.token.text === '.') return this.fail('no viable alternative at input \'..\'')
    return this.token.kind === 'end' ? this.fail('no viable alternative at input \'.\'') : 'unsure'
  }
}
