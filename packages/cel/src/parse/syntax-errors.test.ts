import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { admissionEnvironment, compile } from '../index.ts'
import { syntaxErrors } from './syntax-errors.ts'

// What Kubernetes 1.36.3's parser says of these.
const recorded = JSON.parse(readFileSync(new URL('../recorded/syntax-errors.json', import.meta.url), 'utf8')) as { expr: string, error: string }[]

describe('syntax errors', () => {
  it.each(recorded)('of $expr are told in upstream\'s words', ({ expr, error }) => {
    expect(compile(expr, admissionEnvironment()).error).toBe(error)
  })

  it.each(['a ? : b', '- ', 'a.`b`.c +'])('of %s are told by our own parser, whose words are others', (expr) => {
    expect(syntaxErrors(expr)).toBeUndefined()
    expect(compile(expr, admissionEnvironment()).error).toContain('Syntax error')
  })
})
