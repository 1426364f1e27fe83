import { mkdtemp, readdir } from 'node:fs/promises'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectRemoteCommand } from '@berth/streaming'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { missing } from './support/containerd.ts'
import { eventually, type Harness, idle, isReady, sh, startHarness } from './support/harness.ts'

const why = missing()
if (why) console.log(`skipped: the kubelet server's suite ${why}`)

describe.skipIf(why)('the server on 10250', () => {
  let h: Harness
  beforeAll(async () => {
    h = await startHarness(await mkdtemp(join(tmpdir(), 'berth-kubelet-')))
    await h.stopKubelet()
  })
  afterAll(async () => h?.stop())

  const get = (path: string, headers: Record<string, string> = {}): Promise<{ status: number; text: string }> =>
    new Promise((resolve, reject) => {
      const r = request({ host: '127.0.0.1', port: h.kubelet().port, path, headers, rejectUnauthorized: false }, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (d: string) => (text += d)).on('end', () => resolve({ status: response.statusCode ?? 0, text }))
      })
      r.on('error', reject).end()
    })

  it('lets nobody in without credentials', async () => {
    await h.startKubelet()
    expect(await get('/pods')).toMatchObject({ status: 401, text: 'Unauthorized\n' })
    await h.stopKubelet()
  })

  it('serves logs with every option, pods, metrics and stats', async () => {
    await h.startKubelet({ authentication: { anonymous: { enabled: true } }, authorization: { mode: 'AlwaysAllow' } })
    h.create('talk', { containers: [sh('c', `for i in 1 2 3 4 5; do echo line $i; done; sleep 0.5; echo err >&2; ${idle}`)] })
    await h.until('talk', 'Ready', isReady)
    const logs = (query = ''): Promise<{ status: number; text: string }> => get(`/containerLogs/default/talk/c${query}`)
    await eventually('all lines are there', async () => (await logs()).text.includes('err'))
    expect((await logs()).text).toBe('line 1\nline 2\nline 3\nline 4\nline 5\nerr\n')
    expect((await logs('?tailLines=2')).text).toBe('line 5\nerr\n')
    expect((await logs('?tailLines=0')).text).toBe('')
    expect((await logs('?limitBytes=9')).text).toBe('line 1\nli')
    expect((await logs('?tailLines=1&timestamps=true')).text).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d) err\n$/)
    expect((await logs('?sinceTime=2999-01-01T00:00:00Z')).text).toBe('')
    expect((await logs('?sinceSeconds=100')).text).toContain('line 1')
    expect(await logs('?previous=true')).toMatchObject({ status: 400, text: 'previous terminated container "c" in pod "talk" not found\n' })
    expect(await logs('?tailLines=x')).toMatchObject({ status: 400 })
    expect(await get('/containerLogs/default/talk/none')).toMatchObject({ status: 404, text: 'container "none" not found in pod "talk"\n' })
    expect(JSON.parse((await get('/pods')).text)).toMatchObject({ kind: 'PodList', items: [{ metadata: { name: 'talk' }, status: { phase: 'Running' } }] })
    await eventually('the pod is counted', async () => (await get('/metrics')).text.includes('kubelet_running_pods 1'))
    expect(JSON.parse((await get('/stats/summary')).text)).toMatchObject({ node: { nodeName: 'node-1' }, pods: [{ podRef: { name: 'talk' }, containers: [{ name: 'c' }] }] })
    const resource = (await get('/metrics/resource')).text
    expect(resource).toMatch(/^container_cpu_usage_seconds_total\{container="c",namespace="default",pod="talk"\} [\d.e-]+ \d{13}$/m)
    expect(Number(/^container_memory_working_set_bytes\{container="c",namespace="default",pod="talk"\} (\d+) \d{13}$/m.exec(resource)?.[1])).toBeGreaterThan(0)
    expect(Number(/^pod_memory_working_set_bytes\{namespace="default",pod="talk"\} (\d+) \d{13}$/m.exec(resource)?.[1])).toBeGreaterThan(0)
    expect(Number(/^node_memory_working_set_bytes (\d+) \d{13}$/m.exec(resource)?.[1])).toBeGreaterThan(0)
    expect(resource).toMatch(/^resource_scrape_error 0$/m)
    expect((await get('/metrics/cadvisor')).text).toMatch(/^container_start_time_seconds\{container="c",.*pod="talk"\} \d+$/m)
    const brief = JSON.parse((await get('/stats/summary?only_cpu_and_memory=true')).text) as { node: object }
    expect(Object.keys(brief.node).sort()).toEqual(['cpu', 'memory', 'nodeName', 'startTime'])
    expect((await get('/healthz')).text).toBe('ok')
    expect(await get('/logs/')).toMatchObject({ status: 405 })
    expect(await get('/exec/default/talk/c?command=ls&output=1')).toMatchObject({ status: 400, text: 'Upgrade request required\n' })
  })

  it('passes exec on to the runtime', async () => {
    const url = `https://127.0.0.1:${h.kubelet().port}/exec/default/talk/c?command=sh&command=-c&command=${encodeURIComponent('cat; echo oops >&2; exit 3')}&input=1&output=1&error=1`
    const session = await connectRemoteCommand(url, { transport: 'spdy', streams: { stdin: true, stdout: true, stderr: true, tty: false }, tls: { rejectUnauthorized: false } })
    let stdout = ''
    let stderr = ''
    session.stdout?.on('data', (d: Uint8Array) => (stdout += Buffer.from(d).toString('utf8'))).on('error', () => {})
    session.stderr?.on('data', (d: Uint8Array) => (stderr += Buffer.from(d).toString('utf8'))).on('error', () => {})
    // containerd closes the connection without ending its streams; how that is taken is the client's matter, not the kubelet's.
    session.status.catch(() => {})
    session.stdin?.end('hello')
    await eventually('both outputs are here', () => stdout === 'hello' && stderr === 'oops\n')
    session.close()
  })

  it('follows a log until the container ends', async () => {
    h.create('short', { restartPolicy: 'Never', containers: [sh('c', 'echo a; sleep 1; echo b')] })
    await h.until('short', 'running or over', (p) => p.status?.containerStatuses?.[0]?.containerID !== undefined)
    expect((await get('/containerLogs/default/short/c?follow=true')).text).toBe('a\nb\n')
    await h.remove('short')
    await h.remove('talk')
  })

  it('turns logs over at containerLogMaxSize and keeps containerLogMaxFiles of them', async () => {
    await h.stopKubelet()
    await h.startKubelet({ authentication: { anonymous: { enabled: true } }, authorization: { mode: 'AlwaysAllow' }, containerLogMaxSize: '10Ki', containerLogMaxFiles: 3, containerLogMonitorInterval: '500ms' })
    h.create('chatty', { containers: [sh('c', 'while true; do for i in 1 2 3 4 5 6 7 8 9 0; do echo a line that is long enough to fill a file soon; done; sleep 0.05; done')] })
    const pod = await h.until('chatty', 'Ready', isReady)
    const dir = join(h.dir, 'logs', `default_chatty_${pod.metadata.uid}`, 'c')
    await eventually('old files are compressed and few', async () => {
      const files = await readdir(dir)
      return files.includes('0.log') && files.some((f) => /^0\.log\.\d{8}-\d{6}\.gz$/.test(f)) && files.length <= 3
    })
    // A file that was just turned over is empty for a moment.
    await eventually('the new file is read', async () => (await get('/containerLogs/default/chatty/c?tailLines=1')).text === 'a line that is long enough to fill a file soon\n')
    await h.remove('chatty')
  })

  it('shows an ephemeral container in its status and runs a command in it', async () => {
    h.create('patient', { containers: [sh('c', idle)] })
    const pod = await h.until('patient', 'Ready', isReady)
    h.api.put('/api/v1/namespaces/default/pods/patient', { ...pod, metadata: { ...pod.metadata, generation: 2 }, spec: { ...pod.spec, ephemeralContainers: [{ ...sh('debug', 'sleep 1000'), targetContainerName: 'c' }] } })
    await h.until('patient', 'running its ephemeral container', (p) => p.status?.ephemeralContainerStatuses?.[0]?.state?.running !== undefined && p.status.observedGeneration === 2)
    await h.remove('patient')
  })
})
