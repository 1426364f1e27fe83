import type { CelType } from '../types/types.ts'

/** The names that an expression sees: declared variables, then those of the comprehensions around it. */
export class Scope {
  private readonly parent: Scope | undefined
  private readonly names: ReadonlyMap<string, CelType>

  constructor(names: ReadonlyMap<string, CelType>, parent?: Scope) {
    this.names = names
    this.parent = parent
  }

  lookup(name: string): CelType | undefined {
    return this.names.get(name) ?? this.parent?.lookup(name)
  }

  within(names: Iterable<readonly [string, CelType]>): Scope {
    return new Scope(new Map(names), this)
  }
}
