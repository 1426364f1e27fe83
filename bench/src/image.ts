import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { nativeBinary } from '@berth/native'

/** Builds the smallest image that runs, out of the native program, in the cluster's Engine; gives its name. */
export function containersImage(dataDir: string): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'berth-bench-'))
  try {
    fs.copyFileSync(nativeBinary(), path.join(folder, 'pause'))
    fs.chmodSync(path.join(folder, 'pause'), 0o755)
    fs.writeFileSync(path.join(folder, 'Dockerfile'), 'FROM scratch\nCOPY pause /pause\nENTRYPOINT ["/pause", "pause"]\n')
    const launcher = path.resolve(import.meta.dirname, '../../packages/berth/bin/berth.js')
    const { status, stderr } = spawnSync(process.execPath, [launcher, 'image', 'build', '-t', 'berth.local/pause:1', '--data-dir', dataDir, folder], { encoding: 'utf8' })
    if (status !== 0) throw new Error(stderr)
    return 'berth.local/pause:1'
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}
