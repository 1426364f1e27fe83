import { readdir, readFile } from 'node:fs/promises'

interface ProcessInfo {
  pid: number
  parent: number
  session: number
  /** In clock ticks since boot: with the pid, names a process for good. */
  startTime: bigint
}

/** Fields 4, 6 and 22 of /proc/PID/stat; the program's name before them may hold anything. */
export function parseStat(text: string): ProcessInfo | undefined {
  const pid = Number.parseInt(text, 10)
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const [parent, session, start] = [fields[1], fields[3], fields[19]]
  if (!Number.isInteger(pid) || parent === undefined || session === undefined || start === undefined) return undefined
  return { pid, parent: Number(parent), session: Number(session), startTime: BigInt(start) }
}

async function processes(): Promise<ProcessInfo[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const infos = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/stat`, 'utf8').then(parseStat, () => undefined)))
  return infos.filter((info) => info !== undefined)
}

/** The process itself, its descendants, and what shares its session and started after it (children whose parent has died). */
export function treeOf(root: number, all: readonly ProcessInfo[]): ProcessInfo[] {
  const first = all.find(({ pid }) => pid === root)
  if (!first) return []
  const members = new Map([[root, first]])
  for (let grew = true; grew; ) {
    grew = false
    for (const info of all) {
      if (members.has(info.pid)) continue
      const orphan = info.session === first.session && first.session === root && info.startTime >= first.startTime
      if (!members.has(info.parent) && !orphan) continue
      members.set(info.pid, info)
      grew = true
    }
  }
  return [...members.values()]
}

/** Kills a process and everything it has started, until nothing of it is left (or a few rounds have passed). Docker has no way to end an exec. */
export async function killTree(root: number): Promise<void> {
  for (let round = 0; round < 5; round++) {
    const members = treeOf(root, await processes())
    if (members.length === 0) return
    for (const { pid } of members) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // Gone already.
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
