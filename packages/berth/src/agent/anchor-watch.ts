import fs from 'node:fs'

const intervalMs = 500

/** When a process started, in clock ticks since boot (proc(5), stat): with its id, that names it for good. */
function startTime(pid: number): string | undefined {
  try {
    return fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[19]
  } catch {
    return undefined
  }
}

/** Calls `onDeath` once when the anchor's process is gone: its namespace is then nobody's. Gives the function that ends the watch. */
export function watchAnchor(pid: number, onDeath: () => void): () => void {
  const started = startTime(pid)
  const timer = setInterval(() => {
    const state = fs.existsSync(`/proc/${pid}`) ? startTime(pid) : undefined
    if (state !== undefined && state === started && !isZombie(pid)) return
    clearInterval(timer)
    onDeath()
  }, intervalMs)
  return () => clearInterval(timer)
}

function isZombie(pid: number): boolean {
  try {
    return fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.startsWith('Z') ?? true
  } catch {
    return true
  }
}
