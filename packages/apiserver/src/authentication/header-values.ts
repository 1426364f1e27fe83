import type { AuthenticationRequest } from '../interfaces.ts'

/** The values of a header line by line: a comma within one is its own. */
export function valuesOf({ headers, rawHeaders }: Pick<AuthenticationRequest, 'headers' | 'rawHeaders'>, name: string): string[] {
  const wanted = name.toLowerCase()
  if (!rawHeaders) {
    const value = headers[wanted]
    return value === undefined ? [] : [value]
  }
  const values: string[] = []
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) if (rawHeaders[at]?.toLowerCase() === wanted) values.push(rawHeaders[at + 1] ?? '')
  return values
}

/** A user's extra attributes: the headers that begin with one of the prefixes (lower case), by what follows it, percent-decoded. */
export function extraOf(request: Pick<AuthenticationRequest, 'headers' | 'rawHeaders'>, prefixes: readonly string[]): Record<string, string[]> {
  const extra = new Map<string, string[]>()
  for (const prefix of prefixes) {
    for (const header of Object.keys(request.headers)) {
      if (!header.startsWith(prefix)) continue
      const key = decodedOrKept(header.slice(prefix.length))
      extra.set(key, [...(extra.get(key) ?? []), ...valuesOf(request, header)])
    }
  }
  return Object.fromEntries(extra)
}

function decodedOrKept(key: string): string {
  try {
    return decodeURIComponent(key)
  } catch {
    return key
  }
}
