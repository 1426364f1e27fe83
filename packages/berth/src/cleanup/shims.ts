import fs from 'node:fs'

/** The arguments of a process; none for one that is gone. */
function argumentsOf(pid: string): string[] {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  } catch {
    return []
  }
}

/**
 * Ends what is left of the private Engine once its daemons are down: runtime shims of containers that a killed dockerd had forgotten,
 * and their processes. They are known by the Engine's own socket on their command line. Gives how many.
 */
export function endLeftoverShims(containerdSocket: string): number {
  const shims = fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name)).filter((pid) => {
    const words = argumentsOf(pid)
    return words[0]?.includes('containerd-shim') && words[words.indexOf('-address') + 1] === containerdSocket
  })
  for (const pid of shims) {
    for (const victim of [...childrenOf(pid), pid]) {
      try {
        process.kill(Number(victim), 'SIGKILL')
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
      }
    }
  }
  return shims.length
}

function childrenOf(pid: string): string[] {
  try {
    return fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean)
  } catch {
    return []
  }
}
