const shortModes = [['ReadWriteOnce', 'RWO'], ['ReadOnlyMany', 'ROX'], ['ReadWriteMany', 'RWX'], ['ReadWriteOncePod', 'RWOP']] as const

/** Access modes by their short names, in kubectl's order. */
export function accessModes(modes: readonly string[] | undefined): string {
  return shortModes.filter(([mode]) => modes?.includes(mode)).map(([, short]) => short).join(',')
}

/** The class of a volume or claim: the annotation that came before the field still wins. */
export function storageClassOf({ metadata, spec }: { metadata: { annotations?: Record<string, string> }, spec?: { storageClassName?: string } }): string {
  return metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? spec?.storageClassName ?? ''
}
