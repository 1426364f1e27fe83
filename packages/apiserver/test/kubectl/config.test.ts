import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasKubectl, startCli, type Cli } from '../support/cli.ts'

let cli: Cli
let file: string
beforeAll(async () => {
  if (!hasKubectl) return
  cli = await startCli()
  file = join(cli.under.dir, 'made.conf')
  await mkdir(join(cli.under.dir, 'bin'))
})
afterAll(() => cli?.stop())

/** kubectl config on a kubeconfig that these tests make, step by step. */
const config = (line: string): Promise<string> => cli.ok(`config ${line} --kubeconfig=${file}`)
const view = async (): Promise<unknown> => JSON.parse(await config('view --raw -o json'))

describe.skipIf(!hasKubectl)('kubeconfigs that kubectl makes', () => {
  test('kubectl config set-cluster: an address and an authority', async () => {
    const ca = await cli.file('ca.crt', cli.under.server.certificates.servingCa)
    expect(await config(`set-cluster here --server=${cli.under.url} --certificate-authority=${ca} --embed-certs`)).toBe('Cluster "here" set.\n')
    expect(await view()).toMatchObject({ clusters: [{ name: 'here', cluster: { server: cli.under.url, 'certificate-authority-data': Buffer.from(cli.under.server.certificates.servingCa).toString('base64') } }] })
  })

  test('kubectl config set-credentials: a token, a certificate, a program', async () => {
    expect(await config('set-credentials bearer --token=admin-token')).toBe('User "bearer" set.\n')
    const { certificate, key } = await cli.under.certificateFor('jane')
    expect(await config(`set-credentials jane --client-certificate=${await cli.file('jane.crt', certificate)} --client-key=${await cli.file('jane.key', key)}`)).toBe('User "jane" set.\n')
    const program = await cli.file('bin/login', '#!/bin/sh\necho \'{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"bob-token"}}\'\n')
    await config(`set-credentials bob --exec-command=${program} --exec-api-version=client.authentication.k8s.io/v1 --exec-interactive-mode=Never`)
    expect(await view()).toMatchObject({ users: [{ name: 'bearer' }, { name: 'bob', user: { exec: { command: 'bin/login' } } }, { name: 'jane' }] })
  })

  test('kubectl config set-context, config use-context, config current-context: each user is who it is on the server', async () => {
    for (const user of ['bearer', 'jane', 'bob']) expect(await config(`set-context as-${user} --cluster=here --user=${user} --namespace=kube-system`)).toBe(`Context "as-${user}" created.\n`)
    for (const [user, name] of [['bearer', 'admin'], ['jane', 'jane'], ['bob', 'bob']]) {
      expect(await config(`use-context as-${user}`)).toBe(`Switched to context "as-${user}".\n`)
      expect(await config('current-context')).toBe(`as-${user}\n`)
      expect(await cli.ok(`auth whoami -o jsonpath={.status.userInfo.username} --kubeconfig=${file}`)).toBe(name)
    }
    expect((await cli.end(`get pods --kubeconfig=${file}`)).stderr).toContain('pods is forbidden: User "bob" cannot list resource "pods" in API group "" in the namespace "kube-system"')
    await expect(config('use-context absent')).rejects.toThrow('error: no context exists with the name: "absent"')
  })

  test('kubectl config get-contexts, config get-clusters, config get-users: list them', async () => {
    expect(await config('get-contexts')).toMatch(/^CURRENT +NAME +CLUSTER +AUTHINFO +NAMESPACE\n +as-bearer +here +bearer +kube-system\n\* +as-bob +here +bob +kube-system\n +as-jane +here +jane +kube-system\n$/)
    expect(await config('get-clusters')).toBe('NAME\nhere\n')
    expect(await config('get-users')).toBe('NAME\nbearer\nbob\njane\n')
  })

  test('kubectl config rename-context: keeps what it says', async () => {
    expect(await config('rename-context as-bearer boss')).toBe('Context "as-bearer" renamed to "boss".\n')
    expect(await cli.ok(`--context=boss auth can-i '*' '*' --kubeconfig=${file}`)).toBe('yes\n')
  })

  test('kubectl config set, config unset: one value by its path', async () => {
    expect(await config('set contexts.boss.namespace default')).toBe('Property "contexts.boss.namespace" set.\n')
    expect(await cli.ok(`--context=boss get serviceaccounts -o name --kubeconfig=${file}`)).toBe('serviceaccount/default\n')
    expect(await config('unset contexts.boss.namespace')).toBe('Property "contexts.boss.namespace" unset.\n')
    expect(await readFile(file, 'utf8')).not.toContain('namespace: default')
  })

  test('kubectl config view: hides what is secret, of one context alone, flattened, of several files', async () => {
    expect(await config('view')).toContain('token: REDACTED')
    const minified = JSON.parse(await cli.ok(`config view --minify --flatten -o json --context=as-jane --kubeconfig=${file}`)) as { users: { user: object }[], contexts: unknown[] }
    expect([minified.contexts.length, Object.keys(minified.users[0]?.user ?? {})]).toEqual([1, ['client-certificate-data', 'client-key-data']])
    expect(await cli.ok("config view -o jsonpath='{.contexts[*].name}'", { env: { KUBECONFIG: `${file}:${cli.config}` } })).toMatch(/as-bob.*as-jane.*boss/)
  })

  test('kubectl config delete-context, config delete-user, config delete-cluster: until nothing is left', async () => {
    expect(await config('delete-context boss')).toBe(`deleted context boss from ${file}\n`)
    expect(await config('delete-user bearer')).toBe(`deleted user bearer from ${file}\n`)
    expect(await config('delete-cluster here')).toBe(`deleted cluster here from ${file}\n`)
    expect(await view()).toMatchObject({ clusters: null, users: [{ name: 'bob' }, { name: 'jane' }] })
  })
})

describe.skipIf(!hasKubectl)('what kubectl tells of itself', () => {
  test.each(['bash', 'zsh', 'fish', 'powershell'])('kubectl completion: of %s', async (shell) => {
    expect(await cli.ok(`completion ${shell}`)).toMatch(/__complete/)
  })

  test('kubectl completion: names what is on the server', async () => {
    await cli.ok('create configmap completed-1')
    await cli.ok('create configmap completed-2')
    expect(await cli.ok('__complete get configmaps comp')).toMatch(/^completed-1\ncompleted-2\n:\d+\n$/)
    expect(await cli.ok('__complete get configm')).toMatch(/^configmaps\n/m)
    expect(await cli.ok("__complete get pods -n kube-p")).toMatch(/^kube-public\n/)
    expect(await cli.ok("__complete config use-context ''")).toMatch(/\S+\n:\d+\n$/)
  })

  test('kubectl options: those that every command takes', async () => {
    const text = await cli.ok('options')
    for (const flag of ['--kubeconfig', '--as', '--namespace', '--server', '--token', '--request-timeout']) expect(text).toMatch(new RegExp(`${flag}[=,]`))
  })

  test('kubectl plugin list: a plugin is found, and runs with its arguments', async () => {
    await cli.file('kubectl-berth_test', '#!/bin/sh\necho "plugin $*"\n')
    const env = { PATH: `${cli.under.dir}:${process.env['PATH'] ?? ''}` }
    expect(await cli.ok('plugin list', { env })).toContain(`${cli.under.dir}/kubectl-berth_test\n`)
    expect(await cli.ok('plugin list --name-only', { env })).toContain('kubectl-berth_test\n')
  })
})
