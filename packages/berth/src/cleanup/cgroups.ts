import fs from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

function removeTree(directory: string): boolean {
  let gone = true
  for (const entry of fs.readdirSync(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) gone = removeTree(path.join(directory, entry.name)) && gone
  }
  try {
    fs.rmdirSync(directory)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return false
  }
  return gone
}

/** Removes the control groups of an instance in every hierarchy. Processes in them may take a moment to be gone. */
export async function removeCgroups(name: string): Promise<void> {
  const root = '/sys/fs/cgroup'
  const candidates = [root, ...fs.readdirSync(root, { withFileTypes: true }).filter((e) => e.isDirectory()).map((e) => path.join(root, e.name))].map((dir) => path.join(dir, name))
  for (let tries = 0; tries < 20; tries++) {
    const left = candidates.filter((dir) => fs.existsSync(dir) && !removeTree(dir))
    if (left.length === 0) return
    await sleep(50)
  }
}
