import { createHash } from 'node:crypto'
import type { UserInfo } from '../interfaces.ts'

/** The users of a `--token-auth-file`: lines of `token,user,uid[,"group1,group2"]`. Throws an Error that names the line. */
export function parseTokenFile(text: string): Map<string, UserInfo> {
  const users = new Map<string, UserInfo>()
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue
    const fields = parseCsvLine(line)
    const [token, name, uid, groups] = fields
    if (token === undefined || name === undefined || uid === undefined) throw new Error(`token file line ${index + 1}: expected at least 3 columns (token, user name, user uid), found ${fields.length}`)
    if (token === '') throw new Error(`token file line ${index + 1}: empty token`)
    users.set(digest(token), { name, ...(uid && { uid }), groups: (groups ?? '').split(',').map((g) => g.trim()).filter((g) => g !== '') })
  }
  return users
}

/** Finds the user of a token among those of a token file. Tokens are compared by digest, so that time tells nothing of them. */
export function userOfToken(users: ReadonlyMap<string, UserInfo>, token: string): UserInfo | undefined {
  return users.get(digest(token))
}

function digest(token: string): string {
  return createHash('sha256').update(token).digest('base64')
}

/** One CSV line: fields in double quotes may hold commas and doubled quotes. */
function parseCsvLine(line: string): string[] {
  const fields: string[] = []
  const pattern = /\s*(?:"((?:[^"]|"")*)"|([^,]*))(,|$)/gy
  for (;;) {
    const match = pattern.exec(line)
    if (!match) throw new Error(`bad quoting in ${JSON.stringify(line.slice(0, 3))}…`)
    fields.push(match[1] === undefined ? (match[2] ?? '').trim() : match[1].replaceAll('""', '"'))
    if (match[3] !== ',') return fields
  }
}
