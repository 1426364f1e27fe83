import { createPrivateKey, randomBytes, X509Certificate } from 'node:crypto'
import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { CertificateAndKey } from '@berth/kube'
import { inMemory } from '../config.ts'

/** Below a directory that is no directory: nothing is written, and nothing found. */
function isNowhere(path: string): boolean {
  return path.startsWith(`${inMemory}/`)
}

/** Writes a file whole or not at all, readable by its owner alone, and on disk before it has its name. */
export async function writePrivateFile(path: string, content: string): Promise<void> {
  if (isNowhere(path)) return
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
  const file = await open(temporary, 'wx', 0o600)
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, path)
}

/** A file's text, or undefined where there is no such file. */
export async function readIfThere(path: string): Promise<string | undefined> {
  if (isNowhere(path)) return undefined
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Reads `<base>.crt` and `<base>.key`; undefined where one lacks or they do not belong together (a crash between the two writes). */
export async function readPair(base: string): Promise<CertificateAndKey | undefined> {
  const [certificate, key] = await Promise.all([readIfThere(`${base}.crt`), readIfThere(`${base}.key`)])
  if (certificate === undefined || key === undefined) return undefined
  try {
    return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key)) ? { certificate, key } : undefined
  } catch {
    return undefined
  }
}

/** Writes `<base>.key`, then `<base>.crt`. */
export async function writePair(base: string, pair: CertificateAndKey): Promise<void> {
  await writePrivateFile(`${base}.key`, pair.key)
  await writePrivateFile(`${base}.crt`, pair.certificate)
}
