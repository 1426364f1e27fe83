import { readFile } from 'node:fs/promises'

/** Text of a file that others replace (tokens, certificates): read again when what is known is older than `maxAgeMs`. A failed reading keeps what was known. */
export function rotatingFile(path: string, maxAgeMs: number, now: () => number = Date.now): () => Promise<string> {
  let text: string | undefined
  let readAt = -Infinity
  return async () => {
    if (text !== undefined && now() - readAt < maxAgeMs) return text
    try {
      text = (await readFile(path, 'utf8')).trim()
      readAt = now()
      return text
    } catch (error) {
      if (text === undefined) throw error
      return text
    }
  }
}
