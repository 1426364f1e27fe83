import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CniError, cniErrorCodes } from './cni-error.ts'
import { type CniConfigList, parseCniConfig } from './config.ts'

/** The network that a configuration directory has, or why it has none. */
export type CniConfigResult = { network: CniConfigList; file: string } | { network: undefined; reason: string }

const endings = ['.conf', '.conflist', '.json']

/**
 * Reads the first valid network of a directory, its files in the order of their names, as container runtimes do. Files that are not valid are passed over and
 * named in the reason if nothing else is found. Never throws for what is (not) in the directory.
 */
export async function loadCniConfig(directory: string): Promise<CniConfigResult> {
  const files = await listFiles(directory)
  if (files.length === 0) return { network: undefined, reason: `no networks found in ${directory}` }
  const problems: string[] = []
  for (const file of files) {
    const path = join(directory, file)
    try {
      return { network: parseCniConfig(await readFile(path, 'utf8')), file: path }
    } catch (error) {
      problems.push(`${path}: ${(error as Error).message}`)
    }
  }
  return { network: undefined, reason: `no valid networks found in ${directory}: ${problems.join('; ')}` }
}

async function listFiles(directory: string): Promise<string[]> {
  try {
    const names = await readdir(directory)
    return names.filter((name) => endings.some((ending) => name.endsWith(ending))).toSorted()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw new CniError(cniErrorCodes.ioFailure, `cannot read ${directory}: ${(error as Error).message}`, '', { cause: error })
  }
}
