import { stat } from 'node:fs/promises'

/** Whether there is a directory (a volume of files), a device or something else at a path; undefined where there is nothing. */
export async function kindOf(path: string): Promise<'directory' | 'block' | 'other' | undefined> {
  const found = await stat(path).catch(() => undefined)
  if (!found) return undefined
  return found.isDirectory() ? 'directory' : found.isBlockDevice() ? 'block' : 'other'
}
