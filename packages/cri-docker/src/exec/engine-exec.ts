import type { Socket } from 'node:net'
import type { Duplex, Readable, Writable } from 'node:stream'
import type Docker from 'dockerode'
import type { Engine } from '../engine/connect.ts'
import { Demultiplexer, writable } from '../engine/demux.ts'
import { engineStatus } from '../errors.ts'
import { endWhenQuiet } from './container-end.ts'
import { killTree } from './process-tree.ts'

/** A command that was started inside a container. */
export interface StartedExec {
  /** Resolves with the exit code when the command is over and its output has been handed on. */
  exitCode: Promise<number>
  resize(size: { width: number; height: number }): void
  /** Kills the command and all it has started. */
  kill(): Promise<void>
  /** Ends its streams once nothing comes any more: its container has ended. */
  endWhenQuiet(): void
}

/** Which streams a command has. */
export interface ExecStreams {
  stdin?: Readable | undefined
  stdout?: Writable | undefined
  stderr?: Writable | undefined
  tty: boolean
}

/** Starts a command inside a container. Rejects with the Engine's error where that fails. */
export async function startExec(engine: Engine, containerId: string, command: readonly string[], streams: ExecStreams): Promise<StartedExec> {
  const { stdin, stdout, stderr, tty } = streams
  const exec = await engine.docker.getContainer(containerId).exec({
    Cmd: [...command],
    AttachStdin: stdin !== undefined,
    AttachStdout: true,
    AttachStderr: !tty,
    Tty: tty,
  })
  const connection = await exec.start({ hijack: true, stdin: stdin !== undefined, Tty: tty })
  const over = copy(connection, stdin, stdout, stderr, tty)
  return {
    exitCode: over.then(() => exitCodeOf(exec)),
    resize: ({ width, height }) => void exec.resize({ w: width, h: height }).catch(() => {}),
    endWhenQuiet: () => void endWhenQuiet(connection as Socket),
    async kill() {
      try {
        const pid = await pidOf(exec)
        if (pid !== 0) await killTree(pid)
      } finally {
        connection.destroy()
      }
    },
  }
}

/** Copies a hijacked connection's input and output; resolves when the output has ended and was taken. */
export function copy(connection: Duplex, stdin: Readable | undefined, stdout: Writable | undefined, stderr: Writable | undefined, tty: boolean): Promise<void> {
  connection.on('error', () => {})
  if (stdin) {
    stdin.pipe(connection)
    stdin.on('error', () => connection.end())
  }
  return tty ? copyRaw(connection, stdout) : copyMultiplexed(connection, stdout, stderr)
}

function copyMultiplexed(connection: Duplex, stdout: Writable | undefined, stderr: Writable | undefined): Promise<void> {
  return new Promise((resolve) => {
    const demultiplexer = new Demultiplexer(stdout, stderr)
    demultiplexer.once('finish', resolve)
    demultiplexer.once('close', resolve)
    connection.once('close', () => demultiplexer.end())
    connection.pipe(demultiplexer)
  })
}

async function copyRaw(connection: Duplex, stdout: Writable | undefined): Promise<void> {
  try {
    for await (const chunk of connection) {
      if (stdout && !stdout.destroyed && !stdout.writableEnded && !stdout.write(chunk)) await writable(stdout)
    }
  } catch {
    // A connection that was cut has no more output.
  }
}

/** The output can end a moment before the Engine has noted the exit. */
async function exitCodeOf(exec: Docker.Exec): Promise<number> {
  for (let round = 0; ; round++) {
    const { Running, ExitCode } = await stateOf(exec)
    if (!Running || round > 200) return ExitCode ?? 137
    await new Promise((resolve) => setTimeout(resolve, Math.min(5 * (round + 1), 50)))
  }
}

/** How long a command may take from being accepted to having a process; milliseconds. */
const startMs = 10_000

/** The first process of a command, waiting for it where the Engine has only just taken the command; 0 where it is over. */
async function pidOf(exec: Docker.Exec): Promise<number> {
  for (const deadline = Date.now() + startMs; Date.now() < deadline; await new Promise((resolve) => setTimeout(resolve, 20))) {
    const { Running, ExitCode, Pid } = await stateOf(exec)
    if (Pid > 0 && Running) return Pid
    if (ExitCode !== null) return 0
  }
  return 0
}

/** What the Engine knows of a command; one whose container has gone is over. */
async function stateOf(exec: Docker.Exec): Promise<{ Running: boolean; ExitCode: number | null; Pid: number }> {
  try {
    return (await exec.inspect()) as { Running: boolean; ExitCode: number | null; Pid: number }
  } catch (error) {
    if (engineStatus(error) === 404) return { Running: false, ExitCode: 137, Pid: 0 }
    throw error
  }
}
