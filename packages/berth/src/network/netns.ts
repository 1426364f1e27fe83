import fs from 'node:fs'
import { exec } from '../exec.ts'
import { mountsBelow } from '../cleanup/mounts.ts'

/** Keeps this process's network namespace under a name in the file system (network_namespaces(7)); what is kept already stays. */
export async function keepNetns(file: string): Promise<void> {
  if (mountsBelow(fs.readFileSync('/proc/self/mountinfo', 'utf8'), [file]).length > 0) return
  fs.writeFileSync(file, '')
  await exec(['mount', '--bind', '/proc/self/ns/net', file])
}
