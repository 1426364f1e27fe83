import net from 'node:net'
import { MachineError } from '../errors.ts'

/** What the supervisor says of a process. */
export interface ProcessStatus {
  readonly name: string
  readonly state: string
  readonly pid: number
  readonly restarts: number
  readonly lastExit: string
}

/** Sends one command line to the supervisor and gives its answer's lines; undefined where no supervisor listens. */
export function askSupervisor(socket: string, command: string, timeoutMs = 60_000): Promise<string[] | undefined> {
  return new Promise((resolve, reject) => {
    const connection = net.createConnection(socket)
    let text = ''
    connection.setTimeout(timeoutMs, () => connection.destroy(new MachineError(`the supervisor did not answer ${JSON.stringify(command)}`)))
    connection.on('connect', () => connection.write(`${command}\n`))
    connection.setEncoding('utf8')
    connection.on('data', (chunk: string) => {
      text += chunk
      const lines = text.split('\n')
      const last = lines.at(-2)
      if (!text.endsWith('\n') || last === undefined) return
      if (last === 'ok') {
        connection.destroy()
        resolve(lines.slice(0, -2))
      } else if (last.startsWith('error ')) {
        connection.destroy()
        reject(new MachineError(`supervisor: ${last.slice('error '.length)}`))
      }
    })
    connection.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve(undefined)
      else reject(error)
    })
    // At shutdown the supervisor may be gone before its answer is.
    connection.on('close', () => resolve(command === 'shutdown' ? [] : undefined))
  })
}

/** The state of every process; undefined where no supervisor listens. */
export async function supervisorStatus(socket: string): Promise<ProcessStatus[] | undefined> {
  const lines = await askSupervisor(socket, 'status')
  return lines?.filter((line) => line.startsWith('process ')).map((line) => {
    const [, name = '', state = '', pid = '0', , restarts = '0', lastExit = '-'] = line.split(' ')
    return { name, state, pid: Number(pid), restarts: Number(restarts), lastExit }
  })
}
