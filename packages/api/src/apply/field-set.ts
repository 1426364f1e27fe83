import { isObject } from '../decode/values.ts'
import { type PathElement, compareElements, readElement } from './path-element.ts'

/** A set of paths to fields. It is a tree: at each place the elements that are members, and the elements that lead on. Sets are not changed once shared. */
export class FieldSet {
  readonly members = new Set<PathElement>()
  readonly children = new Map<PathElement, FieldSet>()

  get empty(): boolean {
    return this.members.size === 0 && this.children.size === 0
  }

  /** Adds a path; only for sets that are still being built. */
  insert(path: readonly PathElement[], from = 0): void {
    const element = path[from]
    if (element === undefined) return
    if (from === path.length - 1) {
      this.members.add(element)
      return
    }
    let child = this.children.get(element)
    if (!child) this.children.set(element, (child = new FieldSet()))
    child.insert(path, from + 1)
  }

  has(path: readonly PathElement[], from = 0): boolean {
    const element = path[from]
    if (element === undefined) return false
    return from === path.length - 1 ? this.members.has(element) : this.children.get(element)?.has(path, from + 1) ?? false
  }

  union(other: FieldSet): FieldSet {
    if (other.empty) return this
    if (this.empty) return other
    return build([...this.members, ...other.members], [...this.children.keys(), ...other.children.keys()], (element) => {
      const mine = this.children.get(element)
      const theirs = other.children.get(element)
      return mine && theirs ? mine.union(theirs) : mine ?? theirs
    })
  }

  intersection(other: FieldSet): FieldSet {
    if (this.empty) return this
    if (other.empty) return other
    return build([...this.members].filter((m) => other.members.has(m)), this.children.keys(), (element) => {
      const theirs = other.children.get(element)
      return theirs && this.children.get(element)?.intersection(theirs)
    })
  }

  /** The paths that are not in `other`. A path that is in `other` takes nothing below it away. */
  difference(other: FieldSet): FieldSet {
    if (this.empty || other.empty) return this
    return build([...this.members].filter((m) => !other.members.has(m)), this.children.keys(), (element) => {
      const theirs = other.children.get(element)
      const mine = this.children.get(element)
      return theirs ? mine?.difference(theirs) : mine
    })
  }

  /** The paths that are neither in `other` nor below a path of it. */
  recursiveDifference(other: FieldSet): FieldSet {
    if (this.empty || other.empty) return this
    return build([...this.members].filter((m) => !other.members.has(m)), [...this.children.keys()].filter((c) => !other.members.has(c)), (element) => {
      const theirs = other.children.get(element)
      const mine = this.children.get(element)
      return theirs ? mine?.recursiveDifference(theirs) : mine
    })
  }

  /** Every path, in the order in which upstream walks a set: members of a place before what lies below it. */
  paths(prefix: readonly PathElement[] = []): PathElement[][] {
    const out: PathElement[][] = []
    for (const element of [...this.members].sort(compareElements)) out.push([...prefix, element])
    for (const element of [...this.children.keys()].sort(compareElements)) out.push(...(this.children.get(element)?.paths([...prefix, element]) ?? []))
    return out
  }

  /** The FieldsV1 form, `{"f:spec": {"f:replicas": {}}}`. */
  toFields(): Record<string, unknown> {
    const out: Record<string, unknown> = {}
    const elements = this.children.size === 0 ? [...this.members] : this.members.size === 0 ? [...this.children.keys()] : [...new Set([...this.members, ...this.children.keys()])]
    if (elements.length > 1) elements.sort(compareElements)
    for (const element of elements) {
      const below = this.children.get(element)?.toFields()
      out[element] = below === undefined ? {} : this.members.has(element) ? { '.': {}, ...below } : below
    }
    return out
  }

  /**
   * Reads the FieldsV1 form.
   * @throws Error where a key is no path element
   */
  static fromFields(fields: unknown): FieldSet {
    const set = new FieldSet()
    if (!isObject(fields)) return set
    for (const [text, below] of Object.entries(fields)) {
      if (text === '.') continue
      const element = readElement(text)
      if (element === undefined) throw new Error(`invalid path element ${JSON.stringify(text)}`)
      const keys = isObject(below) ? Object.keys(below) : []
      if (keys.length === 0 || keys.includes('.')) set.members.add(element)
      const child = FieldSet.fromFields(below)
      if (!child.empty) set.children.set(element, child)
    }
    return set
  }

  static of(...paths: ReadonlyArray<readonly PathElement[]>): FieldSet {
    const set = new FieldSet()
    for (const path of paths) set.insert(path)
    return set
  }
}

function build(members: Iterable<PathElement>, elements: Iterable<PathElement>, child: (element: PathElement) => FieldSet | undefined): FieldSet {
  const set = new FieldSet()
  for (const member of members) set.members.add(member)
  for (const element of elements) {
    const below = set.children.has(element) ? undefined : child(element)
    if (below && !below.empty) set.children.set(element, below)
  }
  return set
}
