import { runNative } from './binary.ts'
import { NativeError } from './errors.ts'

/** What a batch of network actions answered: the list lines (without `= `), or which action failed and why. */
export type NetAnswer = { ok: true; lines: string[] } | { ok: false; lines: string[]; line: number; errno: number; message: string }

/** Reads the answer to a batch, as `net` prints it and the CNI plugin sends it. Throws NativeError if the text is none. */
export function parseNetAnswer(text: string): NetAnswer {
  const lines: string[] = []
  for (const line of text.split('\n')) {
    if (line === 'ok') return { ok: true, lines }
    if (line.startsWith('= ')) lines.push(line.slice(2))
    const failed = /^error (\d+) (\d+) (.*)$/.exec(line)
    if (failed) return { ok: false, lines, line: Number(failed[1]), errno: Number(failed[2]), message: failed[3] ?? '' }
  }
  throw new NativeError(`berth-native gave no answer to its network actions: ${JSON.stringify(text.slice(0, 200))}`)
}

/** Executes network actions (see README.md) in this process's network namespace. Gives the list lines; throws NativeError with errno when one fails. */
export async function runNetActions(actions: readonly string[], options: { netns?: string; signal?: AbortSignal } = {}): Promise<string[]> {
  const input = [...(options.netns ? [`in ${options.netns}`] : []), ...actions].map((line) => `${line}\n`).join('')
  const { code, stdout, stderr } = await runNative(['net'], { input, signal: options.signal })
  if (code !== 0 && !stdout) throw new NativeError(stderr || `berth-native net ended with ${code}`, { exitCode: code })
  const answer = parseNetAnswer(stdout)
  if (!answer.ok) throw new NativeError(answer.message, { exitCode: code, errno: answer.errno })
  return answer.lines
}
