// Warning headers (RFC 7234 5.5): what upstream's warning recorder makes of them.

/** Beyond so many characters in all, each warning is cut to `itemLimit`, and what is still too much is left out. */
const totalLimit = 4096
const itemLimit = 256

/** The values of the Warning headers: each text once, as `299 - "text"`. */
export function warningHeaders(texts: readonly string[]): string[] {
  const distinct = [...new Set(texts)].map(printable)
  const total = distinct.reduce((sum, text) => sum + text.length, 0)
  const kept: string[] = []
  let size = 0
  for (const text of total > totalLimit ? distinct.map(cut) : distinct) {
    size += text.length
    if (size > totalLimit) break
    kept.push(text)
  }
  return kept.map((text) => `299 - "${text.replace(/[\\"]/g, '\\$&')}"`)
}

/** A header's text as its UTF-8 bytes, a character each: Node refuses characters beyond Latin-1, Go reads and writes UTF-8. */
export function headerBytes(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}

function printable(text: string): string {
  return text.toWellFormed().replace(/\p{Cc}/gu, ' ')
}

function cut(text: string): string {
  return text.length <= itemLimit ? text : [...text].slice(0, itemLimit).join('')
}
