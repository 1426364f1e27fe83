import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until } from './support/engine.ts'
import { busybox, runPod, runShell, shimMissing, startShim, type TestShim } from './support/shim.ts'

const registryProgram = ['/usr/bin/docker-registry', '/usr/bin/registry'].find((path) => existsSync(path))
const missing = shimMissing() || (registryProgram === undefined ? 'needs docker-registry' : '')

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address ? address.port : 0
}

/** A registry that has nothing at first; with `htpasswd`, one that wants a name and a password. */
async function startRegistry(directory: string, name: string, htpasswd?: string): Promise<{ host: string; process: ChildProcess }> {
  const port = await freePort()
  const auth = htpasswd === undefined ? '' : `auth: { htpasswd: { realm: test, path: ${join(directory, 'htpasswd')} } }\n`
  if (htpasswd !== undefined) writeFileSync(join(directory, 'htpasswd'), `${htpasswd}\n`)
  const config = join(directory, `${name}.yml`)
  writeFileSync(config, `version: 0.1\nlog: { level: error }\nstorage: { filesystem: { rootdirectory: ${join(directory, name)} } }\nhttp: { addr: '127.0.0.1:${port}' }\n${auth}`)
  const process = spawn(registryProgram ?? '', ['serve', config], { stdio: 'ignore' })
  const host = `127.0.0.1:${port}`
  await until(() => fetch(`http://${host}/v2/`).then(() => true, () => false), 'the registry answers')
  return { host, process }
}

describe.skipIf(missing !== '')(`images${missing && ` (skipped: ${missing})`}`, () => {
  const directory = mkdtempSync(join(tmpdir(), 'berth-images-'))
  let shim: TestShim
  let open: Awaited<ReturnType<typeof startRegistry>>
  let closed: Awaited<ReturnType<typeof startRegistry>>
  const credentials = { username: 'user', password: 'secret' }

  beforeAll(async () => {
    shim = await startShim()
    open = await startRegistry(directory, 'open')
    // bcrypt of "secret".
    closed = await startRegistry(directory, 'closed', 'user:$2y$05$wSmnDl2hzWFiYlMJqtUk5Onl34k7ro6i32SN65h.srjdcwDqIQiZa')
  })
  afterAll(async () => {
    open.process.kill()
    closed.process.kill()
    await shim.stop()
    rmSync(directory, { recursive: true })
  })

  const push = async (name: string, authconfig?: object): Promise<void> => {
    const [repo = '', tag = ''] = name.split(/:(?=[^/:]*$)/)
    await shim.engine.docker.getImage(busybox).tag({ repo, tag })
    const stream: NodeJS.ReadableStream = await shim.engine.docker.getImage(repo).push({ tag, ...(authconfig ? { authconfig } : {}) })
    await new Promise<void>((resolve, reject) => shim.engine.docker.modem.followProgress(stream, (error) => (error ? reject(error) : resolve())))
    await shim.engine.docker.getImage(name).remove()
  }
  const status = async (image: string): Promise<unknown> => (await shim.client.imageStatus({ image: { image } })).image

  test('an image is pulled by tag and by digest, found by each of its names, and removed with all of them', async () => {
    const name = `${open.host}/pulled:1`
    await push(name)
    expect(await status(name)).toBeUndefined()
    const { imageRef } = await shim.client.pullImage({ image: { image: name } })
    const image = (await shim.client.imageStatus({ image: { image: name } })).image
    expect(image).toMatchObject({ id: imageRef, repoTags: expect.arrayContaining([name]) })
    expect(image?.size).toBeGreaterThan(100_000n)
    const digest = image?.repoDigests.find((text) => text.startsWith(open.host)) ?? ''
    expect(digest).toMatch(/@sha256:[0-9a-f]{64}$/)
    expect((await shim.client.pullImage({ image: { image: digest } })).imageRef).toBe(imageRef)
    expect(await status(digest)).toMatchObject({ id: imageRef })
    expect(await status(imageRef)).toMatchObject({ id: imageRef })
    expect((await shim.client.listImages({})).images.map(({ id }) => id)).toContain(imageRef)
    expect((await shim.client.listImages({ filter: { image: { image: name } } })).images.map(({ id }) => id)).toEqual([imageRef])
  })

  test('an image with several names goes with all of them, and removing it again is fine', async () => {
    await shim.engine.docker.getContainer(await runShell(shim, await runPod(shim), 'true')).commit({ repo: 'berth.test/several', tag: 'one' })
    await shim.engine.docker.getImage('berth.test/several:one').tag({ repo: 'berth.test/several', tag: 'two' })
    await shim.client.removeImage({ image: { image: 'berth.test/several:one' } })
    expect(await status('berth.test/several:two')).toBeUndefined()
    await shim.client.removeImage({ image: { image: 'berth.test/several:one' } })
  })

  test('an image that five callers remove at once is gone for each of them', async () => {
    await shim.engine.docker.getContainer(await runShell(shim, await runPod(shim), 'true')).commit({ repo: 'berth.test/once', tag: '1' })
    const { image } = await shim.client.imageStatus({ image: { image: 'berth.test/once:1' } })
    const gone = async (): Promise<boolean> => {
      await shim.client.removeImage({ image: { image: image?.id ?? '' } })
      return (await status(image?.id ?? '')) === undefined
    }
    expect(await Promise.all(Array.from({ length: 5 }, gone))).toEqual([true, true, true, true, true])
  })

  test('a pull whose caller goes away is DeadlineExceeded or Canceled for it, and leaves nothing half-pulled behind', async () => {
    const name = `${open.host}/slow:1`
    await push(name)
    open.process.kill('SIGSTOP')
    try {
      await expect(shim.client.pullImage({ image: { image: name } }, { timeoutMs: 300 })).rejects.toMatchObject({ code: 'DeadlineExceeded' })
    } finally {
      open.process.kill('SIGCONT')
    }
    await shim.client.pullImage({ image: { image: name } })
    expect(await status(name)).toMatchObject({ repoTags: expect.arrayContaining([name]) })
  })

  test('a pull that makes no progress is given up, and goes through when the registry is back', async () => {
    const name = `${open.host}/stalled:1`
    await push(name)
    await shim.restartShim({ imagePullProgressDeadlineMs: 400 })
    open.process.kill('SIGSTOP')
    try {
      await expect(shim.client.pullImage({ image: { image: name } })).rejects.toMatchObject({ code: 'DeadlineExceeded', message: expect.stringContaining('no progress for 0.4s') })
    } finally {
      open.process.kill('SIGCONT')
      await shim.restartShim({ imagePullProgressDeadlineMs: 300_000 })
    }
    await shim.client.pullImage({ image: { image: name } })
    expect(await status(name)).toMatchObject({ repoTags: expect.arrayContaining([name]) })
  })

  test('an image in use is not removed', async () => {
    const pod = await runPod(shim)
    const id = await runShell(shim, pod, 'sleep 1000', { image: { image: busybox } })
    await shim.engine.docker.getContainer(id).commit({ repo: 'berth.test/used', tag: '1' })
    await runShell(shim, pod, 'sleep 1000', { metadata: { name: 'user' }, logPath: 'user/0.log', image: { image: 'berth.test/used:1' } })
    await expect(shim.client.removeImage({ image: { image: 'berth.test/used:1' } })).rejects.toMatchObject({ code: 'FailedPrecondition', message: expect.stringContaining('berth.test/used:1') })
  })

  test('a registry that wants credentials gets them, in each form that CRI has', async () => {
    const name = `${closed.host}/private:1`
    await push(name, { ...credentials, serveraddress: closed.host })
    const pull = (auth?: object): Promise<unknown> => shim.client.pullImage({ image: { image: name }, ...(auth ? { auth } : {}) })
    await expect(pull()).rejects.toMatchObject({ code: 'Unauthenticated', message: expect.stringContaining(`failed to pull image "${name}"`) })
    await expect(pull({ ...credentials, password: 'wrong' })).rejects.toMatchObject({ code: 'Unauthenticated' })
    await pull(credentials)
    await pull({ auth: Buffer.from('user:secret').toString('base64') })
    await expect(pull({ auth: Buffer.from('nothing').toString('base64') })).rejects.toMatchObject({ code: 'InvalidArgument', message: 'auth.auth: is not base64 of name:password' })
  })

  test('an image that is not there, a registry that is not there, and a name that is none are told apart', async () => {
    const pull = (image: string): Promise<unknown> => shim.client.pullImage({ image: { image } })
    await expect(pull(`${open.host}/nothing:1`)).rejects.toMatchObject({ code: 'NotFound', message: expect.stringContaining('nothing:1') })
    await expect(pull('127.0.0.1:1/nothing:1')).rejects.toMatchObject({ code: 'Unavailable', message: expect.stringContaining('connection refused') })
    await expect(pull('Not A Name')).rejects.toMatchObject({ code: 'InvalidArgument', message: 'failed to pull image "Not A Name": invalid reference format' })
  })

  test("the sandboxes' own image is pinned, so that no kubelet collects it, and made again where it is gone", async () => {
    const pod = await runPod(shim)
    const pause = (await shim.client.listImages({})).images.filter(({ pinned }) => pinned)
    expect(pause.map(({ repoTags }) => repoTags[0])).toEqual([expect.stringMatching(/berth\.dev\/pause:[0-9a-f]{16}$/)])
    for (const { id } of (await shim.client.listPodSandbox({})).items) await shim.client.removePodSandbox({ podSandboxId: id })
    await shim.client.removeImage({ image: { image: pause[0]?.id ?? '' } })
    const again = await runPod(shim)
    expect(again.id).not.toBe(pod.id)
  })

  test('the file system of images is measured', async () => {
    const { imageFilesystems, containerFilesystems } = await shim.client.imageFsInfo({})
    expect(imageFilesystems[0]?.fsId?.mountpoint).toBe(join(shim.engine.directory, 'docker'))
    expect(imageFilesystems[0]?.usedBytes?.value).toBeGreaterThan(0n)
    expect(containerFilesystems).toHaveLength(1)
  })
})
