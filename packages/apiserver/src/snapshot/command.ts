// `berth snapshot`: save, restore, migrate, status.
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { CommandError, defineCommand, runCommand } from '@berth/kube'
import type { Command, CommandIo, FlagValues } from '@berth/kube'
import { storedResources } from '../resources/index.ts'
import { kubernetesCodec } from '../storage/etcd/codec.ts'
import { etcdPlace } from './etcd-place.ts'
import { checkFile } from './file.ts'
import type { Place } from './place.ts'
import { progressOn } from './progress.ts'
import { sqlitePlace } from './sqlite-place.ts'
import { migrate, restore, save } from './transfer.ts'
import type { Told, Transferred } from './transfer.ts'

const etcdGroup = 'etcd'
const etcdFlags = {
  'etcd-prefix': { type: 'string', default: '/registry', description: 'The prefix of all keys in etcd.', group: etcdGroup },
  'etcd-cafile': { type: 'string', description: 'SSL Certificate Authority file used to secure etcd communication.', group: etcdGroup },
  'etcd-certfile': { type: 'string', description: 'SSL certification file used to secure etcd communication.', group: etcdGroup },
  'etcd-keyfile': { type: 'string', description: 'SSL key file used to secure etcd communication.', group: etcdGroup },
  'event-ttl': { type: 'duration', default: '1h0m0s', description: 'How long events live that are written to etcd.', group: etcdGroup },
} as const

const storeFlags = {
  'data-dir': { type: 'string', default: '/var/lib/berth', description: 'The data directory of `berth up` or of `berth apiserver`, where the store is SQLite.' },
  'etcd-servers': { type: 'string[]', description: 'List of etcd servers (scheme://ip:port), where the store is etcd.', group: etcdGroup },
  ...etcdFlags,
} as const

const outputFlag = { output: { type: 'string', short: 'o', default: 'text', description: 'Output format: text or json.' } } as const
const forceFlags = {
  force: { type: 'boolean', description: 'Replace what is in the target.' },
  'bump-revision': { type: 'number', description: 'How far behind the snapshot\'s revision the target\'s begin: more than were given out since (default 1000000000 for SQLite, 10000 for etcd; 0 for a migration).' },
} as const

const codec = kubernetesCodec({ definitions: storedResources, mediaType: 'application/vnd.kubernetes.protobuf' })

function etcdOf(servers: readonly string[], given: FlagValues<typeof etcdFlags>): Place {
  const { 'etcd-cafile': caFile, 'etcd-certfile': certFile, 'etcd-keyfile': keyFile } = given
  return etcdPlace({
    servers: servers.flatMap((server) => server.split(',')), prefix: given['etcd-prefix'], eventTtlSeconds: Math.floor(given['event-ttl'] / 1000),
    ...(caFile && { caFile }), ...(certFile && { certFile }), ...(keyFile && { keyFile }),
  }, codec)
}

/** `berth up` keeps the API server's data one level deeper. */
function directoryOf(dataDir: string): Place {
  const absolute = resolve(dataDir)
  const inner = join(absolute, 'server')
  return sqlitePlace(!existsSync(join(absolute, 'state.db')) && existsSync(inner) ? inner : absolute, codec)
}

function storeOf(given: FlagValues<typeof storeFlags>, io: CommandIo): Place {
  if (given['etcd-servers'].length === 0) return directoryOf(given['data-dir'])
  if (io.given.has('data-dir')) throw new CommandError('--data-dir and --etcd-servers name two stores: give one', 2)
  return etcdOf(given['etcd-servers'], given)
}

function oneFile(positionals: readonly string[]): string {
  const [file] = positionals
  if (file === undefined || positionals.length > 1) throw new CommandError('name one file', 2)
  return file
}

/** Runs what may take long; what goes wrong is one plain line and status 1. `say` is what a person reads of the outcome. */
async function work<T extends object>(output: string, io: CommandIo, places: readonly Place[], act: (told: Told) => Promise<T>, say: (outcome: T) => string): Promise<number> {
  const progress = progressOn(io.stderr)
  try {
    if (output !== 'text' && output !== 'json') throw new CommandError(`--output: ${JSON.stringify(output)} is not a format; allowed: text, json`, 2)
    const outcome = await act(progress.told)
    progress.end()
    io.stdout.write(output === 'json' ? `${JSON.stringify(outcome, null, 2)}\n` : `${say(outcome)}\n`)
    return 0
  } catch (error) {
    progress.end()
    if (error instanceof CommandError) throw error
    throw new CommandError(io.verbosity >= 4 && error instanceof Error ? error.stack ?? error.message : error instanceof Error ? error.message : String(error), 1, { cause: error })
  } finally {
    for (const place of places) place.close()
  }
}

const count = (objects: number): string => `${objects.toLocaleString('en-US')} ${objects === 1 ? 'object' : 'objects'}`
const sayTransferred = (verb: string) => ({ objects, to, revision, contentSha256 }: Transferred): string => `${verb} ${count(objects)} into ${to}, now at revision ${revision} (content ${contentSha256.slice(0, 12)}, checked)`

const saveCommand = defineCommand({
  name: 'berth snapshot save',
  summary: 'Save everything that is stored into a file',
  description: 'Saves everything that is stored, at one revision, into a file; servers go on meanwhile. Keys and certificates (pki) are not in it.',
  positionals: '[flags] FILE',
  flags: { ...storeFlags, ...outputFlag },
  async run(given, positionals, io) {
    const file = oneFile(positionals)
    const from = storeOf(given, io)
    return work(given.output, io, [from], async (told) => ({ file, from: from.title, ...await save(from, file, told) }),
      ({ entries, revision, bytes, sha256 }) => `saved ${count(entries)} at revision ${revision} into ${file} (${bytes.toLocaleString('en-US')} bytes, ${sha256.slice(0, 12)})`)
  },
})

const restoreCommand = defineCommand({
  name: 'berth snapshot restore',
  summary: 'Put a file\'s objects into an empty store, of either kind',
  description: 'Puts the objects of a file into a store, of either kind, whose servers are stopped. The file is checked before anything is written, and the store after. Revisions go on beyond all that were given out, so that clients list again.',
  positionals: '[flags] FILE',
  flags: { ...storeFlags, ...forceFlags, ...outputFlag },
  async run(given, positionals, io) {
    const file = oneFile(positionals)
    const to = storeOf(given, io)
    const bump = given['bump-revision']
    return work(given.output, io, [to], (told) => restore(file, to, { force: given.force, codec, told, ...(bump !== undefined && { bump }) }), sayTransferred('restored'))
  },
})

const migrateCommand = defineCommand({
  name: 'berth snapshot migrate',
  summary: 'Bring everything from SQLite to etcd, or back',
  description: 'Brings everything from one store to another, while the servers of both are stopped. A store is a data directory, or etcd servers: http://127.0.0.1:2379,…',
  positionals: '[flags]',
  flags: {
    from: { type: 'string', description: 'The store to read: a data directory, or etcd servers (scheme://ip:port, comma separated).' },
    to: { type: 'string', description: 'The store to fill, likewise.' },
    ...etcdFlags, ...forceFlags, ...outputFlag,
  },
  async run(given, positionals, io) {
    if (positionals.length > 0) throw new CommandError(`flags are expected, got ${positionals.map((p) => JSON.stringify(p)).join(' ')}`, 2)
    const named = (flag: 'from' | 'to'): Place => {
      const store = given[flag]
      if (!store) throw new CommandError('--from and --to are needed', 2)
      return /^(https?|unixs?):\/\//.test(store) ? etcdOf([store], given) : directoryOf(store)
    }
    const places = [named('from'), named('to')] as const
    const bump = given['bump-revision']
    return work(given.output, io, places, (told) => migrate(...places, { force: given.force, codec, told, ...(bump !== undefined && { bump }) }), sayTransferred('brought'))
  },
})

const statusCommand = defineCommand({
  name: 'berth snapshot status',
  summary: 'Check a file and tell what it is',
  positionals: '[flags] FILE',
  flags: { ...outputFlag },
  async run(given, positionals, io) {
    const file = oneFile(positionals)
    return work(given.output, io, [], async () => ({ file, ...await checkFile(file) }),
      ({ entries, revision, source, time, sha256 }) => `${file}: ${count(entries)} of ${source} at revision ${revision}, saved ${time}, whole (${sha256.slice(0, 12)})`)
  },
})

const actions: Readonly<Record<string, Command>> = { save: saveCommand, restore: restoreCommand, migrate: migrateCommand, status: statusCommand }

/** Saves, restores and moves what an API server stores. */
export const snapshotCommand: Command = {
  name: 'berth snapshot',
  summary: 'Save, restore and migrate what is stored',
  help: () => `Save, restore and migrate what is stored: SQLite's and etcd's alike.\n\nUsage:\n${Object.values(actions).map((a) => `  ${a.name.padEnd(24)} ${a.summary}`).join('\n')}\n\nUse "berth snapshot COMMAND --help" for the flags.\n`,
  async execute(argv, io) {
    const [action, ...rest] = argv
    const command = action !== undefined && Object.hasOwn(actions, action) ? actions[action] : undefined
    if (command) return runCommand(command, rest, io)
    const helpWanted = action === '--help' || action === '-h' || action === 'help'
    const out = helpWanted ? io.stdout ?? process.stdout : io.stderr ?? process.stderr
    if (!helpWanted && action !== undefined) out.write(`Error: unknown command ${JSON.stringify(action)} for "berth snapshot"\n`)
    out.write(snapshotCommand.help())
    return helpWanted ? 0 : 2
  },
}
