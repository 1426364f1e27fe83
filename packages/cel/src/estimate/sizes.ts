import type { Range } from './range.ts'
import { upTo } from './range.ts'

/** How large a value may be, and what is in it: the type of a variable as the estimator of costs knows it. */
export interface Sizes {
  /** Characters, bytes, elements or entries at most; 0 for what has no size. */
  readonly most: number
  readonly fields?: ReadonlyMap<string, Sizes>
  readonly key?: Sizes
  readonly element?: Sizes
}

/** The size of what a path leads to (a variable, then names of fields, `@items`, `@keys`, `@values`), or undefined. */
export type SizeLookup = (path: readonly string[]) => Range | undefined

/**
 * Looks sizes up from one root, whatever variable the path starts with: a rule's `self` and `oldSelf` are of one type. `otherwise` may tell what a
 * field is that is not declared.
 */
export function sizesFrom(root: Sizes, otherwise: (node: Sizes) => Sizes | undefined = () => undefined): SizeLookup {
  return path => {
    if (path.length === 0) return undefined
    let node: Sizes | undefined = root
    for (const name of path.slice(1)) {
      if (name === '@items' || name === '@values') node = node.element
      else if (name === '@keys') node = node.key
      else node = node.fields?.get(name) ?? otherwise(node)
      if (node === undefined) return undefined
    }
    return upTo(node.most)
  }
}
