import fs from 'node:fs'
import path from 'node:path'
import { apiServerFlags, optionsOfFlags, runApiServer } from '@berth/apiserver'
import { CommandError, defineCommand } from '@berth/kube'
import { judgeOthers, otherFlags } from './other-flags.ts'
import { askStandIn } from './stand-in.ts'

/** As kube-apiserver, for envtest: its flags, its files in --cert-dir, an etcd or a stand-in for one. */
export const kubeApiserver = defineCommand({
  name: 'kube-apiserver',
  summary: 'Run the API server as envtest starts kube-apiserver',
  flags: { ...apiServerFlags, ...otherFlags(apiServerFlags) },
  async run(given, _positionals, io) {
    const { refusals, without } = judgeOthers(io.given, apiServerFlags)
    if (refusals.length > 0) throw new CommandError(refusals.join('\n'))
    for (const name of without) io.logger.warn('A flag has no effect here', { flag: name })
    const servers = given['etcd-servers'].flatMap((each) => each.split(',')).filter((each) => each !== '')
    const standIn = await askStandIn(servers)
    // With an etcd nothing is kept beside it; without one the server keeps its objects as long as it runs.
    const dataDir = io.given.has('data-dir') ? given['data-dir'] : standIn?.dataDir ?? ':memory:'
    const options = optionsOfFlags({ ...given, 'data-dir': dataDir, ...(standIn && { 'etcd-servers': [], 'storage-backend': 'sqlite' }) })
    return runApiServer({ ...options, ...(standIn && { fsync: standIn.fsync }), ...ownCertificates(given['cert-dir'], io.given) }, io)
  },
})

/**
 * kube-apiserver serves apiserver.crt and apiserver.key of --cert-dir, whoever made them: envtest writes them there and keeps their authority to itself. Where they
 * are of our own making, the authority lies beside them. With another's nothing is written into the directory.
 */
function ownCertificates(certDir: string | undefined, given: ReadonlySet<string>): { tlsCertFile?: string, tlsPrivateKeyFile?: string, certDir?: string } {
  if (certDir === undefined || given.has('tls-cert-file')) return {}
  const at = (name: string): string => path.join(certDir, name)
  if (!fs.existsSync(at('apiserver.crt')) || !fs.existsSync(at('apiserver.key')) || fs.existsSync(at('ca.crt'))) return {}
  return { tlsCertFile: at('apiserver.crt'), tlsPrivateKeyFile: at('apiserver.key'), certDir: ':memory:' }
}
