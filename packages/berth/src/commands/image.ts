import { runCommand, type Command } from '@berth/kube'
import { engineClient, waitForEngine } from '../engine/client.ts'
import { buildImage, listImages, loadImage } from '../images/images.ts'
import { requireInstance } from '../instance/instance.ts'
import { layoutOf } from '../instance/layout.ts'
import { dataDirFlag, isJson, outputFlag, personCommand } from './common.ts'

async function engineOf(dataDir: string) {
  const layout = layoutOf(dataDir)
  const docker = engineClient(layout, requireInstance(layout))
  await waitForEngine(docker, 2000)
  return docker
}

const load = personCommand({
  name: 'berth image load',
  summary: 'Load image archives (as docker save writes them) into the cluster\'s Engine',
  positionals: '[flags] FILE...',
  flags: { ...dataDirFlag },
  async run(flags, positionals, io) {
    if (positionals.length === 0) throw new RangeError('name at least one archive')
    const docker = await engineOf(flags['data-dir'])
    for (const file of positionals) await loadImage(docker, file, (line) => io.stdout.write(`${line}\n`))
    return 0
  },
})

const build = personCommand({
  name: 'berth image build',
  summary: 'Build an image of a folder with a Dockerfile, in the cluster\'s Engine',
  positionals: '[flags] DIRECTORY',
  flags: {
    ...dataDirFlag,
    tag: { type: 'string', short: 't', description: 'The image\'s name, such as guestbook:1.' },
    file: { type: 'string', short: 'f', description: 'The Dockerfile, relative to the folder.' },
  },
  async run(flags, positionals, io) {
    const [directory] = positionals
    if (directory === undefined || positionals.length > 1) throw new RangeError('name one folder')
    if (flags.tag === undefined) throw new RangeError('--tag is needed: the image\'s name')
    const docker = await engineOf(flags['data-dir'])
    await buildImage(docker, directory, { tag: flags.tag, dockerfile: flags.file, onLine: (line) => io.stdout.write(`${line}\n`) })
    return 0
  },
})

const list = personCommand({
  name: 'berth image list',
  summary: 'List the images that pods can use without pulling',
  flags: { ...dataDirFlag, ...outputFlag },
  async run(flags, _positionals, io) {
    const json = isJson(flags.output)
    const images = await listImages(await engineOf(flags['data-dir']))
    if (json) io.stdout.write(`${JSON.stringify(images, null, 2)}\n`)
    else {
      const width = Math.max(5, ...images.map((i) => i.reference.length))
      io.stdout.write(`${'IMAGE'.padEnd(width)}  ${'SIZE'.padStart(9)}\n`)
      for (const image of images) io.stdout.write(`${image.reference.padEnd(width)}  ${`${(image.bytes / 1e6).toFixed(1)} MB`.padStart(9)}\n`)
    }
    return 0
  },
})

const actions: Readonly<Record<string, Command>> = { load, build, list }

export const image: Command = {
  name: 'berth image',
  summary: 'Load, build and list images in the cluster\'s Engine',
  help: () => `Load, build and list images in the cluster's Engine.\n\nUsage:\n${Object.values(actions).map((a) => `  ${a.name.padEnd(18)} ${a.summary}`).join('\n')}\n`,
  async execute(argv, io) {
    const [action, ...rest] = argv
    const command = action === undefined ? undefined : actions[action]
    if (command) return runCommand(command, rest, io)
    const helpWanted = action === '--help' || action === '-h' || action === 'help'
    const out = helpWanted ? io.stdout ?? process.stdout : io.stderr ?? process.stderr
    if (!helpWanted) out.write(action === undefined ? '' : `Error: unknown command ${JSON.stringify(action)} for "berth image"\n`)
    out.write(image.help())
    return helpWanted ? 0 : 2
  },
}
