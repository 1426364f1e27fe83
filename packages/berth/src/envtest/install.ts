import fs from 'node:fs'
import path from 'node:path'

/** What is put into a directory for $KUBEBUILDER_ASSETS. */
export interface Installed {
  readonly directory: string
  readonly files: readonly { readonly name: string, readonly path: string, readonly runs: string }[]
  /** What of envtest's three is not there. */
  readonly missing: readonly string[]
}

export interface InstallOptions {
  /** The Node to run with, and Berth's entry script. */
  readonly node: string
  readonly entry: string
  /** A real etcd to start, instead of the stand-in. */
  readonly etcd: string | undefined
  /** kubectl, where the machine has one. */
  readonly kubectl: string | undefined
}

/** Writes launchers of kube-apiserver and etcd, and a link to kubectl; what is there under these names is replaced, whoever put it there only with `force`. */
export function installLaunchers(directory: string, options: InstallOptions, force: boolean): Installed {
  const target = path.resolve(directory)
  fs.mkdirSync(target, { recursive: true })
  const { node, entry, etcd, kubectl } = options
  const launchers = [{ name: 'kube-apiserver', what: 'kube-apiserver' }, ...(etcd === undefined ? [{ name: 'etcd', what: 'etcd' }] : [])]
    .map(({ name, what }) => ({ name, text: `${launcherHead}\nexec ${quoted(node)} --disable-warning=ExperimentalWarning ${quoted(entry)} envtest ${what} "$@"\n`, runs: `berth envtest ${what}` }))
  const links = [{ name: 'etcd', to: etcd }, { name: 'kubectl', to: kubectl }].flatMap(({ name, to }) => (to === undefined || path.dirname(to) === target ? [] : [{ name, to }]))
  for (const { name } of [...launchers, ...links]) if (!force) refuseOthers(path.join(target, name))
  for (const { name, text } of launchers) replace(path.join(target, name), (file) => fs.writeFileSync(file, text, { mode: 0o755 }))
  for (const { name, to } of links) replace(path.join(target, name), (file) => fs.symlinkSync(to, file))
  const files = [...launchers.map(({ name, runs }) => ({ name, path: path.join(target, name), runs })), ...links.map(({ name, to }) => ({ name, path: path.join(target, name), runs: to }))]
  return { directory: target, files, missing: ['kube-apiserver', 'etcd', 'kubectl'].filter((name) => !fs.existsSync(path.join(target, name))) }
}

const launcherHead = '#!/bin/sh\n# Made by `berth envtest install`.'

/** A shell word that stands for exactly this text. */
function quoted(text: string): string {
  return `'${text.replaceAll('\'', '\'\\\'\'')}'`
}

/** What we made before may be replaced: launchers of ours, and links. Throws for anything else. */
function refuseOthers(file: string): void {
  const stat = fs.lstatSync(file, { throwIfNoEntry: false })
  if (!stat || stat.isSymbolicLink() || (stat.isFile() && stat.size < 4096 && fs.readFileSync(file, 'utf8').startsWith(launcherHead))) return
  throw new Error(`${file} is there already, and was not made by this command: choose another directory, or give --force`)
}

function replace(file: string, make: (file: string) => void): void {
  const fresh = `${file}.new`
  fs.rmSync(fresh, { force: true })
  make(fresh)
  fs.renameSync(fresh, file)
}

/** The first program of this name on the path; undefined without one. */
export function onPath(name: string, searched = process.env['PATH'] ?? ''): string | undefined {
  return searched.split(path.delimiter).filter((directory) => directory !== '').map((directory) => path.join(directory, name)).find((file) => {
    try {
      fs.accessSync(file, fs.constants.X_OK)
      return fs.statSync(file).isFile()
    } catch {
      return false
    }
  })
}
