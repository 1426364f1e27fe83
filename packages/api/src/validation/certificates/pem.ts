/** A block of RFC 7468. */
export interface PemBlock {
  readonly type: string
  readonly bytes: Uint8Array
  readonly hasHeaders: boolean
}

/** The blocks of a text, whatever stands between them. Blocks that are not well-formed are not seen. */
export function pemBlocks(text: string): PemBlock[] {
  return [...text.matchAll(/-----BEGIN ([^\n\r]*?)-----[ \t]*\r?\n([\s\S]*?)-----END \1-----/g)].flatMap(([, type = '', body = '']) => {
    const [headers, rest] = /^[^\n]*:/.test(body) ? [true, body.slice(body.search(/\r?\n\r?\n/) + 1)] : [false, body]
    const base64 = rest.replace(/\s/g, '')
    return /^[A-Za-z0-9+/]*={0,2}$/.test(base64) && base64.length % 4 === 0 ? [{ type, bytes: Buffer.from(base64, 'base64'), hasHeaders: headers }] : []
  })
}
