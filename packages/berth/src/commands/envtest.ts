import fs from 'node:fs'
import path from 'node:path'
import { runCommand, type Command } from '@berth/kube'
import { installLaunchers, onPath } from '../envtest/install.ts'
import { isJson, outputFlag, personCommand } from './common.ts'

const install = personCommand({
  name: 'berth envtest install',
  summary: 'Put kube-apiserver and etcd into a directory for controller-runtime\'s envtest',
  description: 'Put launchers of kube-apiserver and etcd, and a link to kubectl, into a directory that KUBEBUILDER_ASSETS can name. The kube-apiserver is Berth\'s; the etcd stands in for one, unless --etcd names a real one.',
  positionals: '[flags] DIRECTORY',
  flags: {
    ...outputFlag,
    etcd: { type: 'string', description: 'A real etcd (3.4 or later) to start; `auto` takes the one on the PATH. Without it none is needed.' },
    force: { type: 'boolean', description: 'Replace files of these names, whoever made them.' },
  },
  async run(flags, positionals, io) {
    const [directory] = positionals
    if (directory === undefined || positionals.length > 1) throw new RangeError('name one directory')
    const json = isJson(flags.output)
    const etcd = flags.etcd === 'auto' ? onPath('etcd') : flags.etcd
    if (flags.etcd === 'auto' && etcd === undefined) throw new Error('there is no etcd on the PATH')
    if (etcd !== undefined && !fs.existsSync(etcd)) throw new Error(`--etcd: there is no ${etcd}`)
    const installed = installLaunchers(directory, { node: process.execPath, entry: path.resolve(process.argv[1] ?? ''), etcd: etcd === undefined ? undefined : path.resolve(etcd), kubectl: onPath('kubectl') }, flags.force)
    if (json) io.stdout.write(`${JSON.stringify({ ...installed, env: { KUBEBUILDER_ASSETS: installed.directory } }, null, 2)}\n`)
    else {
      // On standard output is what a shell may eval; the rest is for people.
      for (const { path: file, runs } of installed.files) io.stderr.write(`${file} (${runs})\n`)
      for (const name of installed.missing) io.stderr.write(`${name} is not on the PATH: envtest starts without it, its User.Kubectl() does not\n`)
      io.stdout.write(`export KUBEBUILDER_ASSETS='${installed.directory.replaceAll('\'', '\'\\\'\'')}'\n`)
    }
    return 0
  },
})

const actions: Readonly<Record<string, { readonly summary: string, load(): Promise<Command> }>> = {
  install: { summary: install.summary, load: async () => install },
  'kube-apiserver': { summary: 'Run the API server as envtest starts kube-apiserver', load: async () => (await import('../envtest/kube-apiserver.ts')).kubeApiserver },
  etcd: { summary: 'Stand in for etcd, as envtest starts it', load: async () => (await import('../envtest/etcd.ts')).etcd },
}

export const envtest: Command = {
  name: 'berth envtest',
  summary: 'Stand in for the binaries that controller-runtime\'s envtest starts',
  help: () => `${envtest.summary}\n\nUsage:\n  berth envtest [command]\n\nAvailable Commands:\n${Object.entries(actions).map(([name, { summary }]) => `  ${name.padEnd(14)} ${summary}\n`).join('')}`,
  async execute(argv, io) {
    const [name = '', ...rest] = argv
    const action = Object.hasOwn(actions, name) ? actions[name] : undefined
    if (action) return runCommand(await action.load(), rest, io)
    const asked = name === '--help' || name === '-h'
    const out = asked ? (io.stdout ?? process.stdout) : (io.stderr ?? process.stderr)
    out.write(asked || name === '' ? envtest.help() : `Error: unknown command ${JSON.stringify(name)} for "berth envtest"\nRun 'berth envtest --help' for usage.\n`)
    return asked ? 0 : 2
  },
}
