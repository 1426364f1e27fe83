import type { StorageClass } from '@berth/api/types/storage/v1'

const annotations = ['storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class'] as const

/** The class that claims get that name none: the youngest of those that are marked so, of equals the first by name. */
export function defaultStorageClass(classes: Iterable<StorageClass>): StorageClass | undefined {
  const marked = [...classes].filter(({ metadata }) => annotations.some((key) => metadata.annotations?.[key] === 'true'))
  const age = ({ metadata }: StorageClass): number => Date.parse(metadata.creationTimestamp ?? '') || 0
  return marked.toSorted((a, b) => age(b) - age(a) || (a.metadata.name < b.metadata.name ? -1 : 1))[0]
}
