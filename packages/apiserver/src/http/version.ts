// /version: what this server says it is.
import { kubernetesVersion } from '@berth/kube'

const goArch: Record<string, string> = { x64: 'amd64', arm64: 'arm64' }

/** metav1 version.Info. `compiler` and `goVersion` name what really runs. */
export function versionInfo(): Record<string, string> {
  const [major = '', minor = ''] = kubernetesVersion.replace(/^v/, '').split('.')
  return {
    major, minor, emulationMajor: major, emulationMinor: minor, minCompatibilityMajor: major, minCompatibilityMinor: String(Number(minor) - 1),
    gitVersion: kubernetesVersion, gitCommit: '', gitTreeState: '', buildDate: '1970-01-01T00:00:00Z', goVersion: `node${process.versions.node}`, compiler: 'v8',
    platform: `${process.platform}/${goArch[process.arch] ?? process.arch}`,
  }
}
