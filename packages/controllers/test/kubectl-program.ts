import { execFile, execFileSync } from 'node:child_process'

/** Whether kubectl is installed; says so where it is not. */
export function findKubectl(): boolean {
  try {
    execFileSync('which', ['kubectl'], { stdio: 'ignore' })
    return true
  } catch {
    console.log('skipped: kubectl is not installed')
    return false
  }
}

/** Runs kubectl with a kubeconfig; gives what it printed. Fails with its error text. */
export function runKubectl(kubeconfig: string, args: readonly string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile('kubectl', ['--kubeconfig', kubeconfig, ...args], { encoding: 'utf8', timeout: 60_000, env: { ...process.env, HOME: '/nonexistent' } }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout)
      else reject(new Error(`kubectl ${args.join(' ')}: ${stderr}`))
    })
    child.stdin?.end(input)
  })
}
