import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { KubeConfig } from '@kubernetes/client-node'
import { kubeconfig } from '@berth/apiserver'
import { issueCertificate, type CertificateAndKey } from '@berth/kube'
import type { ClusterUser } from '../interface.ts'
import type { ControlPlane } from './control-plane.ts'

/** The directory of a cluster's kubeconfigs, made when the first one is asked for. */
export class KubeconfigFiles {
  #directory: string | undefined
  #removed = false

  /** Gives the file's path; nothing is written any more once they were removed. */
  write(name: string, text: string): string {
    if (this.#removed) return ''
    this.#directory ??= mkdtempSync(join(tmpdir(), 'berth-testing-'))
    const path = join(this.#directory, `${encodeURIComponent(name)}.kubeconfig`)
    writeFileSync(path, text, { mode: 0o600 })
    return path
  }

  remove(): void {
    this.#removed = true
    if (this.#directory !== undefined) rmSync(this.#directory, { recursive: true, force: true })
    this.#directory = undefined
  }
}

/** Makes a user: a certificate that the server's authority signs, which says the name and the groups. */
export async function makeUser(plane: ControlPlane, files: KubeconfigFiles, name: string, groups: readonly string[], server: string): Promise<ClusterUser> {
  return userWith(plane, files, name, groups, server, await issueCertificate(plane.api.certificates.authority, { commonName: name, organizations: groups, usages: ['client'] }))
}

/** A user by a certificate that there is already. */
export function userWith(plane: ControlPlane, files: KubeconfigFiles, name: string, groups: readonly string[], server: string, certificate: CertificateAndKey): ClusterUser {
  const text = kubeconfig({ server, ca: plane.api.certificates.servingCa, user: name, client: certificate })
  let path: string | undefined
  return {
    name, groups, kubeconfig: text,
    client: plane.clientOf({ name, groups: [...groups] }, 'berth-testing'),
    get kubeconfigPath() { return path ??= files.write(name, text) },
    kubeConfig() {
      const config = new (clientNode().KubeConfig)()
      config.loadFromString(text)
      return config
    },
  }
}

function clientNode(): { KubeConfig: new () => KubeConfig } {
  try {
    return createRequire(import.meta.url)('@kubernetes/client-node') as { KubeConfig: new () => KubeConfig }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error
    throw new Error('kubeConfig() gives what @kubernetes/client-node works with, which is not installed: npm install --save-dev @kubernetes/client-node', { cause: error })
  }
}
