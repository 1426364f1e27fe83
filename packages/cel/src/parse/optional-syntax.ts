/** A source whose optional syntax is replaced by plain syntax of the same length, and where it stood. */
export interface RewrittenSource {
  readonly text: string
  /** Offsets of the dots of `.?`: the field that follows has lost a leading `_`. */
  readonly selects: ReadonlySet<number>
  /** Offsets of the brackets of `a[?i]`. */
  readonly indexes: ReadonlySet<number>
  /** Offsets of the `?` before a list element or a map entry; each became `!`. */
  readonly entries: ReadonlySet<number>
  /** Offsets of the `?` before a field of a constructed object; each became `_`. */
  readonly fields: ReadonlySet<number>
}

const token = /\/\/[^\n]*|(?:[rR][bB]?|[bB][rR]?)?(?:"""|''')|(?:[rR][bB]?|[bB][rR]?)?["']|[A-Za-z_]\w*|\d[\w.]*|\s+|\.\s*\?|[^]/y

/**
 * The parser does not know CEL's optional syntax. Each of its forms is replaced by one of the same length, so that every offset in
 * errors stays true: `.?f` by `._f`, `[?` by `[ `, the `?` of elements and entries by `!`, and that of an object's field by `_`.
 */
export function rewriteOptionalSyntax(source: string): RewrittenSource {
  const selects = new Set<number>()
  const indexes = new Set<number>()
  const entries = new Set<number>()
  const fields = new Set<number>()
  if (!source.includes('?')) return { text: source, selects, indexes, entries, fields }
  const out = source.split('')
  // What the token before was: an operand makes '[' an index, and ',' '[' '{' make '?' an entry's mark.
  let before = ''
  const open: string[] = []
  token.lastIndex = 0
  for (let match = token.exec(source); match !== null && match[0] !== ''; match = token.exec(source)) {
    const [text] = match
    const at = match.index
    if (/^\s/.test(text) || text.startsWith('//')) continue
    const quote = /^[rRbB]*("""|'''|"|')$/.exec(text)?.[1]
    if (quote !== undefined) {
      token.lastIndex = endOfString(source, at + text.length, quote, /[rR]/.test(text.replace(quote, '')))
      before = 'operand'
      continue
    }
    if (text.startsWith('.') && text.endsWith('?')) {
      selects.add(at)
      out[at + text.length - 1] = '_'
      before = '.'
      continue
    }
    if (text === '[' || text === '{' || text === '(') open.push(before !== 'operand' || text === '(' ? text : text === '[' ? 'index' : 'struct')
    if (text === '?' && open.at(-1) === 'index' && before === 'index') {
      indexes.add(source.lastIndexOf('[', at))
      out[at] = ' '
      continue
    }
    if (text === '?' && ['[', '{', ','].includes(before) && open.at(-1) !== '(') {
      const field = open.at(-1) === 'struct'
      if (field) fields.add(at)
      else entries.add(at)
      out[at] = field ? '_' : '!'
      continue
    }
    if (text === ']' || text === '}' || text === ')') open.pop()
    before = text === '[' ? open.at(-1) ?? '[' : /^[\w\])}]/.test(text) && text !== 'in' ? 'operand' : text
  }
  return { text: out.join(''), selects, indexes, entries, fields }
}

function endOfString(source: string, from: number, quote: string, raw: boolean): number {
  for (let at = from; at < source.length; at++) {
    if (source[at] === '\\' && !raw) at++
    else if (source.startsWith(quote, at)) return at + quote.length
  }
  return source.length
}
