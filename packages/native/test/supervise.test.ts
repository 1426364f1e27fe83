import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  type ProcessDefinition, type ProcessStatus, runNative, startSupervisor, supervisorCommand, supervisorStatus, writeProcessTable,
} from '../src/index.ts'

describe('supervise', () => {
  let dir = ''
  const paths = () => ({ table: `${dir}/table`, state: `${dir}/state`, socket: `${dir}/socket` })
  const sleeper = (name: string, script = 'exec sleep 1000'): ProcessDefinition => ({ name, argv: ['/bin/sh', '-c', script], env: { PATH: '/bin:/usr/bin', WHO: name }, log: `${dir}/${name}.log`, graceSeconds: 1 })
  const start = async (...processes: ProcessDefinition[]) => {
    await writeProcessTable(paths().table, processes)
    await startSupervisor(paths(), `${dir}/supervisor.log`)
  }
  const status = async (name: string): Promise<ProcessStatus> => {
    const found = (await supervisorStatus(paths().socket)).find((p) => p.name === name)
    if (!found) throw new Error(`no ${name}`)
    return found
  }
  const until = async (name: string, good: (p: ProcessStatus) => boolean): Promise<ProcessStatus> => {
    for (;;) {
      const p = await status(name)
      if (good(p)) return p
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  const supervisorPid = () => Number(/^supervisor (\d+)/m.exec(readFileSync(paths().state, 'utf8'))?.[1])
  const alive = (pid: number) => existsSync(`/proc/${pid}`) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))

  beforeEach(() => {
    dir = mkdtempSync('/tmp/berth-supervise-')
  })
  afterEach(async () => {
    await supervisorCommand(paths().socket, 'shutdown').catch(() => {})
    rmSync(dir, { recursive: true })
  })

  test('starts each process in a session of its own, with its own environment and log', async () => {
    await start(sleeper('a', 'echo "hello $WHO $HOME"; exec sleep 1000'))
    const { pid } = await until('a', (p) => p.state === 'running')
    await expect.poll(() => readFileSync(`${dir}/a.log`, 'utf8')).toBe('hello a \n')
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')
    expect(stat?.[3]).toBe(String(pid))
    // Nothing ignored or blocked is handed down: dockerd, for one, reloads on HUP.
    expect(readFileSync(`/proc/${pid}/status`, 'utf8')).toMatch(/SigBlk:\s+0+\nSigIgn:\s+0+\n/)
  })

  test('a process that dies is started again, later each time', async () => {
    await start(sleeper('a', 'echo run; exit 3'))
    const p = await until('a', (now) => now.restarts >= 2 && now.state === 'backoff')
    expect(p.lastExit).toBe('exit:3')
    expect(readFileSync(`${dir}/a.log`, 'utf8').split('\n').length - 1).toBeGreaterThanOrEqual(2)
  })

  test('children outlive a killed supervisor and the next one adopts them', async () => {
    await start(sleeper('a'), sleeper('b'))
    const a = await until('a', (p) => p.state === 'running')
    const b = await until('b', (p) => p.state === 'running')
    process.kill(supervisorPid(), 'SIGKILL')
    process.kill(b.pid, 'SIGKILL')
    await expect.poll(() => alive(b.pid)).toBe(false)
    expect(alive(a.pid)).toBe(true)
    await startSupervisor(paths(), `${dir}/supervisor.log`)
    expect(await status('a')).toEqual({ ...a, state: 'running' })
    const again = await until('b', (p) => p.state === 'running')
    expect([again.pid === b.pid, again.restarts]).toEqual([false, 1])
    // An adopted process is watched like a child.
    process.kill(a.pid, 'SIGKILL')
    expect((await until('a', (p) => p.state === 'running' && p.pid !== a.pid)).lastExit).toBe('gone')
  })

  test('a pid that belongs to another process by now is not adopted', async () => {
    await start(sleeper('a'))
    const a = await until('a', (p) => p.state === 'running')
    process.kill(supervisorPid(), 'SIGKILL')
    const text = readFileSync(paths().state, 'utf8').replace(`process a ${a.pid} `, `process a ${process.pid} `)
    writeFileSync(paths().state, text)
    await startSupervisor(paths(), `${dir}/supervisor.log`)
    const again = await until('a', (p) => p.state === 'running')
    expect(again.pid).not.toBe(process.pid)
    process.kill(a.pid, 'SIGKILL')
  })

  test('stop keeps a process down, also for the next supervisor, until start', async () => {
    await start(sleeper('a'))
    const { pid } = await until('a', (p) => p.state === 'running')
    await supervisorCommand(paths().socket, 'stop a')
    expect([alive(pid), (await status('a')).state]).toEqual([false, 'stopped'])
    process.kill(supervisorPid(), 'SIGKILL')
    await startSupervisor(paths(), `${dir}/supervisor.log`)
    expect((await status('a')).state).toBe('stopped')
    await supervisorCommand(paths().socket, 'start a')
    await until('a', (p) => p.state === 'running')
  })

  test('what ignores TERM is killed after its grace', async () => {
    await start(sleeper('a', "trap '' TERM; echo ready; while :; do sleep 1; done"))
    await expect.poll(() => existsSync(`${dir}/a.log`) && readFileSync(`${dir}/a.log`, 'utf8')).toBe('ready\n')
    await supervisorCommand(paths().socket, 'stop a')
    expect(await status('a')).toMatchObject({ state: 'stopped', lastExit: 'signal:9' })
  })

  test('restart gives a new process at once', async () => {
    await start(sleeper('a'))
    const { pid } = await until('a', (p) => p.state === 'running')
    await supervisorCommand(paths().socket, 'restart a')
    const now = await status('a')
    expect([now.state, now.pid === pid, now.restarts]).toEqual(['running', false, 1])
  })

  test('reload starts what is new, stops what is gone and leaves the rest alone', async () => {
    await start(sleeper('a'), sleeper('b'))
    const a = await until('a', (p) => p.state === 'running')
    const b = await until('b', (p) => p.state === 'running')
    await writeProcessTable(paths().table, [sleeper('a'), sleeper('c')])
    await supervisorCommand(paths().socket, 'reload')
    await until('c', (p) => p.state === 'running')
    await expect.poll(() => alive(b.pid)).toBe(false)
    expect((await status('a')).pid).toBe(a.pid)
    await expect.poll(async () => (await supervisorStatus(paths().socket)).map((p) => p.name).toSorted()).toEqual(['a', 'c'])
  })

  test('shutdown stops the last of the table first and removes state and socket', async () => {
    const announce = (name: string) => sleeper(name, `trap 'echo ${name} >> ${dir}/order; exit 0' TERM; echo ready; while :; do sleep 0.05; done`)
    await start(announce('a'), announce('b'))
    for (const name of ['a', 'b']) await expect.poll(() => existsSync(`${dir}/${name}.log`) && readFileSync(`${dir}/${name}.log`, 'utf8')).toBe('ready\n')
    await supervisorCommand(paths().socket, 'shutdown')
    expect(readFileSync(`${dir}/order`, 'utf8')).toBe('b\na\n')
    expect([existsSync(paths().socket), existsSync(paths().state)]).toEqual([false, false])
  })

  test('a second supervisor on the same state is refused', async () => {
    await start(sleeper('a'))
    const { code, stderr } = await runNative(['supervise', '--table', paths().table, '--state', paths().state, '--socket', `${dir}/other`])
    expect([code, stderr]).toEqual([1, expect.stringContaining('another supervisor runs')])
  })

  test('a wrong table is refused with its line, and a running supervisor goes on', async () => {
    await start(sleeper('a'))
    writeFileSync(paths().table, 'process x\nargv relative\nlog /tmp/x\nend\n')
    await expect(supervisorCommand(paths().socket, 'reload')).rejects.toThrow('line 4')
    writeFileSync(paths().table, 'process x\nfrob 1\n')
    await expect(supervisorCommand(paths().socket, 'reload')).rejects.toThrow('line 2: "frob" is not a valid field')
    await until('a', (p) => p.state === 'running')
  })
})
