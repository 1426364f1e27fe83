import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFile, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

const digest = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex')

/** Makes an image (an archive as `docker save` writes it) that holds busybox and its applets. Gives the path of the tar. */
export async function busyboxImage(dir: string, name: string, config: { Cmd?: string[]; Entrypoint?: string[]; User?: string } = {}): Promise<string> {
  const work = await mkdtemp(join(tmpdir(), 'berth-image-'))
  try {
    const root = join(work, 'root')
    for (const d of ['bin', 'etc', 'tmp', 'proc', 'sys', 'dev', 'var', 'root']) await mkdir(join(root, d), { recursive: true })
    await copyFile('/bin/busybox', join(root, 'bin/busybox'))
    const { stdout } = await run('/bin/busybox', ['--list'])
    for (const applet of stdout.split('\n').filter((a) => a && a !== 'busybox')) await symlink('busybox', join(root, 'bin', applet))
    await writeFile(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n')
    await writeFile(join(root, 'etc/group'), 'root:x:0:\nnogroup:x:65534:\n')
    const image = join(work, 'image')
    await mkdir(image)
    await run('tar', ['-C', root, '--owner=0', '--group=0', '-cf', join(image, 'layer.tar'), '.'])
    const layer = digest(await readFile(join(image, 'layer.tar')))
    const json = JSON.stringify({
      architecture: process.arch === 'arm64' ? 'arm64' : 'amd64', os: 'linux', created: '2026-01-01T00:00:00Z',
      config: { Env: ['PATH=/bin'], ...config }, rootfs: { type: 'layers', diff_ids: [`sha256:${layer}`] }, history: [{ created: '2026-01-01T00:00:00Z' }],
    })
    await writeFile(join(image, 'config.json'), json)
    await writeFile(join(image, 'manifest.json'), JSON.stringify([{ Config: 'config.json', RepoTags: [name], Layers: ['layer.tar'] }]))
    const tar = join(dir, `${name.replace(/[^a-z0-9]+/gi, '-')}.tar`)
    await run('tar', ['-C', image, '-cf', tar, 'manifest.json', 'config.json', 'layer.tar'])
    await stat(tar)
    return tar
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}
