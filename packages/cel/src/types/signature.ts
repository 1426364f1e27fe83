import * as types from './types.ts'
import type { CelType } from './types.ts'

/** A function's declared form. */
export interface Signature {
  readonly name: string
  /** Called on a receiver, which then is the first of `params`. */
  readonly member: boolean
  readonly params: readonly CelType[]
  readonly result: CelType
  /** The names of the type parameters that occur in it. */
  readonly typeParams: readonly string[]
}

const scalars: Readonly<Record<string, CelType>> = {
  bool: types.boolType, int: types.intType, uint: types.uintType, double: types.doubleType, string: types.stringType, bytes: types.bytesType,
  null: types.nullType, dyn: types.dynType, timestamp: types.timestampType, duration: types.durationType,
}

/**
 * Reads a declaration: `name(string, list(A)): A`, or with a receiver `list(A)->name(A): int`. A single capital letter is a type
 * parameter; an unknown name is an opaque type. For our own tables: throws on what it cannot read.
 */
export function parseSignature(text: string): Signature {
  const reader = new SignatureReader(text)
  return reader.signature()
}

class SignatureReader {
  private at = 0
  private readonly text: string
  private readonly typeParams = new Set<string>()

  constructor(text: string) {
    this.text = text
  }

  signature(): Signature {
    const open = this.argumentsStart()
    const head = this.text.slice(0, open)
    const receiver = this.receiverOf(head)
    const name = receiver === undefined ? head : head.slice(head.indexOf('->') + 2)
    this.at = open
    const params = this.list()
    this.expect(':')
    const result = this.type()
    return {
      name, member: receiver !== undefined, params: receiver === undefined ? params : [receiver, ...params], result, typeParams: [...this.typeParams],
    }
  }

  // The '(' that opens the arguments is the one that its ')' ends right before ':'.
  private argumentsStart(): number {
    const close = this.text.lastIndexOf('):')
    let depth = 0
    for (let index = close; index >= 0; index--) {
      if (this.text[index] === ')') depth++
      if (this.text[index] === '(' && --depth === 0) return index
    }
    throw new TypeError(`no arguments in the declaration ${this.text}`)
  }

  // A receiver is written `<type>->name`, so that names may hold dots themselves.
  private receiverOf(head: string): CelType | undefined {
    const arrow = head.indexOf('->')
    if (arrow < 0) return undefined
    const receiver = new SignatureReader(head.slice(0, arrow))
    const type = receiver.type()
    for (const param of receiver.typeParams) this.typeParams.add(param)
    return type
  }

  private list(): CelType[] {
    this.expect('(')
    const result: CelType[] = []
    while (this.peek() !== ')') {
      result.push(this.type())
      if (this.peek() === ',') this.at++
    }
    this.at++
    return result
  }

  type(): CelType {
    this.peek()
    const word = /^[A-Za-z_][\w.]*/.exec(this.text.slice(this.at))?.[0]
    if (word === undefined) throw new TypeError(`a type is expected at ${this.at} of ${this.text}`)
    this.at += word.length
    const params = this.text[this.at] === '(' ? this.list() : []
    const [first, second] = params
    if (word === 'list' && first !== undefined) return types.listType(first)
    if (word === 'map' && first !== undefined && second !== undefined) return types.mapType(first, second)
    if (word === 'optional' && first !== undefined) return types.optionalType(first)
    if (word === 'type') return { kind: 'type', ...(first === undefined ? {} : { of: first }) }
    if (/^[A-Z]$/.test(word)) {
      this.typeParams.add(word)
      return { kind: 'param', name: word }
    }
    return scalars[word] ?? types.opaqueType(word, params)
  }

  private peek(): string | undefined {
    while (this.text[this.at] === ' ') this.at++
    return this.text[this.at]
  }

  private expect(character: string): void {
    if (this.peek() !== character) throw new TypeError(`${character} is expected at ${this.at} of ${this.text}`)
    this.at++
  }
}
