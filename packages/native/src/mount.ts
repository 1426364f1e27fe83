import { runNative } from './binary.ts'
import { NativeError } from './errors.ts'

export interface MountFlags {
  readOnly?: boolean
  noSuid?: boolean
  noDev?: boolean
  noExec?: boolean
}

export interface TmpfsOptions extends MountFlags {
  /** Bytes; the kernel's default (half of the memory) without it. */
  size?: bigint | number
  /** Permission bits of the root, e.g. 0o1777. */
  mode?: number
  uid?: number
  gid?: number
  /** Keeps the contents out of swap (Linux 6.4 and later). */
  noSwap?: boolean
}

export interface BindOptions extends MountFlags {
  /** Mounts below the source come along. */
  recursive?: boolean
  propagation?: 'private' | 'rprivate' | 'slave' | 'rslave' | 'shared' | 'rshared'
}

/** Mounts a tmpfs on an existing directory. Throws NativeError. */
export function mountTmpfs(target: string, options: TmpfsOptions = {}): Promise<void> {
  const words = [...flagWords(options)]
  if (options.size !== undefined) words.push(`size=${options.size}`)
  if (options.mode !== undefined) words.push(`mode=${options.mode.toString(8)}`)
  if (options.uid !== undefined) words.push(`uid=${options.uid}`)
  if (options.gid !== undefined) words.push(`gid=${options.gid}`)
  if (options.noSwap) words.push('noswap')
  return run(['mount', 'tmpfs', target, ...words])
}

/** Bind-mounts source on target (both exist). A read-only one is never writable in between for others to see; on failure nothing stays mounted. */
export function mountBind(source: string, target: string, options: BindOptions = {}): Promise<void> {
  const words = [...flagWords(options)]
  if (options.recursive) words.push('rec')
  if (options.propagation) words.push(options.propagation)
  return run(['mount', 'bind', source, target, ...words])
}

/** Makes an existing mount read-only or writable. */
export function remount(target: string, options: { readOnly: boolean }): Promise<void> {
  return run(['mount', 'remount', target, options.readOnly ? 'ro' : 'rw'])
}

/** Unmounts; what is not mounted is success. `lazy` detaches a busy one. */
export function unmount(target: string, options: { lazy?: boolean } = {}): Promise<void> {
  return run(['umount', target, ...(options.lazy ? ['lazy'] : [])])
}

function* flagWords(flags: MountFlags): Iterable<string> {
  if (flags.readOnly) yield 'ro'
  if (flags.noSuid) yield 'nosuid'
  if (flags.noDev) yield 'nodev'
  if (flags.noExec) yield 'noexec'
}

async function run(args: string[]): Promise<void> {
  const { code, stderr } = await runNative(args)
  if (code !== 0) throw new NativeError(stderr.replace(/^berth-native: /, ''), { exitCode: code })
}
