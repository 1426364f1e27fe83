import fs from 'node:fs'
import { tryExec } from '../exec.ts'

/** The mount points at or below these folders, deepest first. `mountinfo` is /proc/self/mountinfo's text (proc(5)). */
export function mountsBelow(mountinfo: string, folders: readonly string[]): string[] {
  return mountinfo
    .split('\n')
    .map((line) => line.split(' ')[4]?.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8))))
    .filter((point): point is string => point !== undefined && folders.some((folder) => point === folder || point.startsWith(`${folder}/`)))
    .reverse()
}

/** Unmounts everything at or below these folders, lazily where it is busy. */
export async function unmountBelow(folders: readonly string[]): Promise<void> {
  for (const point of mountsBelow(fs.readFileSync('/proc/self/mountinfo', 'utf8'), folders)) {
    if ((await tryExec(['umount', point])) === undefined) await tryExec(['umount', '-l', point])
  }
}
