import { chmod, copyFile, mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { nativeBinary } from '@berth/native'

/** Copies the plugin into the CNI bin directory as `berth`, unless the same one is there. The rename keeps a plugin that runs right now whole. */
export async function installPlugin(cniBinDir: string): Promise<void> {
  const source = nativeBinary()
  const target = `${cniBinDir}/berth`
  await mkdir(cniBinDir, { recursive: true })
  const [ours, theirs] = await Promise.all([stat(source), stat(target).catch(() => undefined)])
  if (theirs && theirs.size === ours.size && (await readFile(source)).equals(await readFile(target))) return
  const temporary = `${cniBinDir}/.berth-${process.pid}`
  await copyFile(source, temporary)
  await chmod(temporary, 0o755)
  await rename(temporary, target)
}

/** The network configuration list that runtimes read. */
export function renderConflist(socket: string): string {
  const plugin = { type: 'berth', socket, capabilities: { portMappings: true } }
  return `${JSON.stringify({ cniVersion: '1.0.0', name: networkName, plugins: [plugin] }, undefined, 2)}\n`
}

export const networkName = 'berth'

/** Writes 10-berth.conflist, whole: its appearance tells the runtime that pods can have networks. */
export async function installConflist(cniConfDir: string, socket: string): Promise<void> {
  await mkdir(cniConfDir, { recursive: true })
  const path = `${cniConfDir}/10-${networkName}.conflist`
  const text = renderConflist(socket)
  if ((await readFile(path, 'utf8').catch(() => '')) === text) return
  await writeFile(`${path}.tmp`, text, { mode: 0o644 })
  await rename(`${path}.tmp`, path)
}
