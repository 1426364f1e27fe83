// The images that critest's specs name, made out of Debian packages and busybox and pushed to a local registry.
import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { nativeBinary } from '../../packages/native/src/index.ts'
import type { TestEngine } from '../../packages/cri-docker/test/support/engine.ts'
import { makeRootfs } from '../guestbook/rootfs.ts'

/** One image: its repository and tag on every registry that the specs name, and what it holds. */
interface TestImage {
  readonly names: readonly string[]
  /** Dockerfile words: `USER 1002`, `ENTRYPOINT [...]`. */
  readonly changes?: readonly string[]
  fill(root: string): void
}

const staging = 'k8s-staging-cri-tools'

/** Which image serves for critest's default container and web server; written to its --test-images-file. */
export const imagesFile = { defaultTestContainerImage: 'registry.k8s.io/e2e-test-images/busybox:1.29-2', webServerTestImage: 'registry.k8s.io/e2e-test-images/nginx:1.14-2' }

function write(root: string, path: string, text: string, mode = 0o644): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text, { mode })
}

const passwd = ['root:x:0:0:root:/root:/bin/sh', 'www-data:x:33:33:www-data:/var/www:/bin/false', 'nobody:x:65534:65534:nobody:/home:/bin/false']
const group = ['root:x:0:', 'tty:x:5:', 'www-data:x:33:', 'nogroup:x:65534:']

/** One file out of a Debian package. */
function packagedFile(name: string, path: string, target: string): void {
  const directory = mkdtempSync(join(tmpdir(), 'berth-package-'))
  try {
    // apt drops its rights to a user of its own, who has to be able to write here.
    chmodSync(directory, 0o777)
    execFileSync('apt-get', ['download', '-qq', name], { cwd: directory, stdio: ['ignore', 'ignore', 'inherit'] })
    for (const file of readdirSync(directory)) execFileSync('dpkg-deb', ['-x', join(directory, file), join(directory, 'files')])
    copyFileSync(join(directory, 'files', path), target)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

let base: string | undefined

/** Debian's busybox with its libraries, and ipcs and pgrep, which it does not have; made once. (busybox-static would not look at the files of its applets, which a spec masks.) */
function busyboxBase(directory: string): string {
  if (base !== undefined) return base
  base = join(directory, 'base')
  makeRootfs(['busybox', 'libc6'], base)
  const program = join(base, 'bin/busybox')
  const applets = execFileSync('chroot', [base, '/bin/busybox', '--list'], { encoding: 'utf8' }).trim().split('\n')
  for (const applet of applets) if (applet !== 'busybox') execFileSync('ln', ['-f', program, join(base, 'bin', applet)])
  packagedFile('util-linux', 'usr/bin/ipcs', join(base, 'bin/ipcs'))
  chmodSync(join(base, 'bin/ipcs'), 0o755)
  write(base, 'bin/pgrep', '#!/bin/sh\nfor process in /proc/[0-9]*; do\n  [ "$(cat $process/comm 2>/dev/null)" = "$1" ] && echo ${process#/proc/} && found=1\ndone\n[ -n "$found" ]\n', 0o755)
  return base
}

/** A root file system of busybox' applets; `mark` makes two of them differ. */
function busybox(root: string, mark = '', users: readonly string[] = [], groups: readonly string[] = []): void {
  execFileSync('cp', ['-a', `${busyboxBase(dirname(root))}/.`, root])
  for (const folder of ['root', 'home', 'var/run', 'usr/bin']) mkdirSync(join(root, folder), { recursive: true })
  write(root, 'etc/passwd', `${[...passwd, ...users].join('\n')}\n`)
  write(root, 'etc/group', `${[...group, ...groups].join('\n')}\n`)
  if (mark !== '') write(root, mark, '')
}

/** Debian's nginx on one port, with its shell and tools of busybox. */
function nginx(root: string, port: number): void {
  makeRootfs(['nginx', 'nginx-common', 'libc6', 'zlib1g'], root)
  busybox(root)
  for (const folder of ['var/log/nginx', 'var/lib/nginx', 'run', 'usr/share/nginx/html']) mkdirSync(join(root, folder), { recursive: true })
  rmSync(join(root, 'var/run'), { recursive: true, force: true })
  execFileSync('ln', ['-s', '/run', join(root, 'var/run')])
  write(root, 'usr/share/nginx/html/index.html', '<html><body>Welcome to nginx!</body></html>\n')
  write(
    root,
    'etc/nginx/nginx.conf',
    `worker_processes 1;\npid /run/nginx.pid;\nerror_log stderr;\nevents { worker_connections 64; }\nhttp { access_log /dev/stdout; server { listen ${port}; location / { root /usr/share/nginx/html; } } }\n`,
  )
}

/** Debian's Apache under the name that the spec looks for in its log. */
function httpd(root: string): void {
  makeRootfs(['apache2-bin', 'libc6', 'zlib1g'], root)
  busybox(root)
  execFileSync('mv', [join(root, 'usr/sbin/apache2'), join(root, 'usr/sbin/httpd')])
  write(root, 'var/www/index.html', '<html><body><h1>It works!</h1></body></html>\n')
  const modules = ['mpm_event', 'authz_core', 'dir'].map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`)
  write(root, 'etc/apache2/apache2.conf', `${modules.join('\n')}\nServerName localhost\nListen 80\nPidFile /run/httpd.pid\nErrorLog /dev/stderr\nDocumentRoot /var/www\nDirectoryIndex index.html\n`)
}

/** A program with the set-user-id bit that says as whom it runs. */
function noNewPrivileges(root: string): void {
  busybox(root)
  write(root, 'nnp.c', '#include <stdio.h>\n#include <unistd.h>\nint main(void) { printf("Effective uid: %d\\n", geteuid()); return 0; }\n')
  execFileSync('gcc', ['-static', '-o', join(root, 'nnp'), join(root, 'nnp.c')])
  rmSync(join(root, 'nnp.c'))
  execFileSync('chmod', ['4755', join(root, 'nnp')])
}

const shell = ['CMD ["sh"]']
const plain = (name: string, mark: string, changes: readonly string[] = shell): TestImage => ({ names: [`${staging}/${name}`], changes, fill: (root) => busybox(root, mark) })

const testImages: readonly TestImage[] = [
  { names: ['e2e-test-images/busybox:1.29-2'], changes: shell, fill: (root) => busybox(root) },
  { names: ['e2e-test-images/nginx:1.14-2'], changes: ['CMD ["nginx", "-g", "daemon off;"]'], fill: (root) => nginx(root, 80) },
  { names: [`${staging}/hostnet-nginx-${process.arch === 'x64' ? 'amd64' : process.arch}:latest`], changes: ['CMD ["nginx", "-g", "daemon off;"]'], fill: (root) => nginx(root, 12003) },
  { names: ['e2e-test-images/httpd:2.4.39-4'], changes: ['CMD ["httpd", "-D", "FOREGROUND"]'], fill: httpd },
  { names: ['e2e-test-images/nonewprivs:1.3'], changes: ['ENTRYPOINT ["/nnp"]'], fill: noNewPrivileges },
  {
    names: ['pause:3.9'],
    changes: ['ENTRYPOINT ["/pause", "pause"]'],
    fill: (root) => {
      copyFileSync(nativeBinary(), join(root, 'pause'))
      execFileSync('chmod', ['755', join(root, 'pause')])
    },
  },
  ...[1, 2, 3].map((number) => plain(`test-image-${number}:latest`, `test-image-${number}`)),
  plain('test-image-latest:latest', 'test-image-latest'),
  plain('test-image-digest:latest', 'test-image-digest'),
  plain('test-image-tag:test', 'test'),
  plain('test-image-tag:all', 'all'),
  { names: ['1', '2', '3'].map((tag) => `${staging}/test-image-tags:${tag}`), changes: shell, fill: (root) => busybox(root, 'same-image') },
  plain('test-image-user-uid:latest', 'uid', [...shell, 'USER 1002']),
  plain('test-image-user-username:latest', 'username', [...shell, 'USER www-data']),
  plain('test-image-user-uid-group:latest', 'uid-group', [...shell, 'USER 1003:1004']),
  plain('test-image-user-username-group:latest', 'username-group', [...shell, 'USER www-data:1004']),
  {
    names: [`${staging}/test-image-predefined-group:latest`],
    changes: [...shell, 'USER 1000'],
    fill: (root) => busybox(root, '', ['default-user:x:1000:1000:default:/home:/bin/sh'], ['default-user:x:1000:', 'group-defined-in-image:x:50000:default-user']),
  },
]

/** Makes the root file system of every image below `directory`, one folder each. */
export function makeImages(directory: string): void {
  for (const [index, image] of testImages.entries()) {
    const root = join(directory, String(index))
    mkdirSync(root)
    image.fill(root)
  }
}

/** Imports every image into this Engine, pushes it to the registry at `host`, and forgets it again, so that a spec's pull is a real one. */
export async function pushImages(engine: TestEngine, directory: string, host: string, log: (line: string) => void): Promise<void> {
  const { docker } = engine
  const parts = (name: string): { repo: string; tag: string } => {
    const [repo = '', tag = ''] = `${host}/${name}`.split(/:(?=[^/:]*$)/)
    return { repo, tag }
  }
  for (const [index, image] of testImages.entries()) {
    const [first = ''] = image.names
    const tar = spawn('tar', ['-C', join(directory, String(index)), '--numeric-owner', '--owner=0', '--group=0', '-cf', '-', '.'], { stdio: ['ignore', 'pipe', 'inherit'] })
    const answer = await docker.importImage(tar.stdout as unknown as string, { fromSrc: '-', ...parts(first), changes: [...(image.changes ?? [])] })
    await buffer(answer)
    for (const name of image.names) {
      const { repo, tag } = parts(name)
      await docker.getImage(`${host}/${first}`).tag({ repo, tag })
      const progress: NodeJS.ReadableStream = await docker.getImage(repo).push({ tag, authconfig: {} })
      await new Promise<void>((resolve, reject) => docker.modem.followProgress(progress, (error) => (error ? reject(error) : resolve())))
      log(`pushed ${name}`)
    }
    for (const name of image.names) await docker.getImage(`${host}/${name}`).remove({ force: true })
  }
}
