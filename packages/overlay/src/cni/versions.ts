/** The versions of the CNI specification in which results are given. */
export const supportedVersions = ['0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'] as const

export type CniVersion = (typeof supportedVersions)[number]

export function isSupported(version: string): version is CniVersion {
  return supportedVersions.some((supported) => supported === version)
}

/** Whether a version has this one's operations (CHECK came with 0.4.0, GC and STATUS with 1.1.0). */
export function atLeast(version: CniVersion, other: CniVersion): boolean {
  return supportedVersions.indexOf(version) >= supportedVersions.indexOf(other)
}
