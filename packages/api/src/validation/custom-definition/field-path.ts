import type { Structural } from '../../custom/structural.ts'

/** Why a path leads nowhere. */
export class JsonPathProblem {
  readonly message: string
  constructor(message: string) {
    this.message = message
  }
}

/** The words of a path: `.`, `[`, `]`, quoted strings and names. */
const wordsOf = (path: string): string[] => path.match(/'(?:[^'\\]|\\.)*'|[.[\]]|[^.[\]]+/g) ?? []

/**
 * The field that `.spec.a['b']` names in a schema, with the path in the form of field errors.
 * @param brackets whether the form with brackets is taken
 */
export function findField(jsonPath: string, root: Structural, brackets = true): { path: string, schema: Structural } | JsonPathProblem {
  const words = wordsOf(jsonPath)[Symbol.iterator]()
  let path = ''
  let schema = root
  const enter = (name: string): boolean => {
    const property = schema.properties.get(name)
    if (schema.properties.size > 0 ? !property : schema.additional === undefined || schema.additional === true) return false
    if (property) path = path === '' ? name : `${path}.${name}`
    else path += `[${name}]`
    schema = property ?? (schema.additional as Structural)
    return true
  }
  for (let word = words.next(); !word.done; word = words.next()) {
    if (word.value !== '.' && word.value !== '[') return new JsonPathProblem(`expected [ or . but got: ${word.value}`)
    if (word.value === '[' && !brackets) return new JsonPathProblem('array notation is not allowed')
    const name = words.next()
    if (name.done) return new JsonPathProblem('unexpected end of JSON path')
    if (word.value === '.') {
      if (!enter(name.value)) return new JsonPathProblem('does not refer to a valid field')
      continue
    }
    if (!/^'.*'$/s.test(name.value)) return new JsonPathProblem(`expected single quoted string but got ${name.value}`)
    if (!enter(name.value.slice(1, -1).replace(/\\(.)/gs, '$1'))) return new JsonPathProblem('does not refer to a valid field')
    const end = words.next()
    if (end.done) return new JsonPathProblem('unexpected end of JSON path')
    if (end.value !== ']') return new JsonPathProblem(`expected ] but got ${end.value}`)
  }
  return { path, schema }
}
