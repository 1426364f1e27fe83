/**
 * Replaces `$(NAME)` in a text by what `lookup` gives; `$$` is a literal dollar sign, and a reference without a value stays as written.
 * The rules are those of the API's documentation of `env[].value`, `command` and `args`.
 */
export function expand(text: string, lookup: (name: string) => string | undefined): string {
  let out = ''
  for (let i = 0; i < text.length; i++) {
    const ch = text[i]
    const next = text[i + 1]
    if (ch !== '$' || next === undefined) out += ch
    else if (next === '$') {
      out += '$'
      i++
    } else if (next === '(') {
      const end = text.indexOf(')', i + 2)
      if (end < 0) {
        out += '$('
        i++
      } else {
        const name = text.slice(i + 2, end)
        out += lookup(name) ?? `$(${name})`
        i = end
      }
    } else {
      out += `$${next}`
      i++
    }
  }
  return out
}
