import { createCertificateRequest, issueCertificate } from '@berth/kube'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasKubectl, startCli, type Cli } from '../support/cli.ts'

let cli: Cli
beforeAll(async () => {
  if (!hasKubectl) return
  cli = await startCli()
  await cli.ok('create role reader --verb=get,list --resource=pods,pods/log --resource=configmaps')
  await cli.ok('create rolebinding reader --role=reader --user=jane --group=readers')
})
afterAll(() => cli?.stop())

describe.skipIf(!hasKubectl)('what kubectl asks of rights', () => {
  test.concurrent.each([
    ['a verb on a resource', 'get pods --as=jane', 'yes'],
    ['a subresource', 'get pods --subresource=log --as=jane', 'yes'],
    ['another subresource', 'create pods --subresource=exec --as=jane', 'no'],
    ['one object', 'get pods/one --as=jane', 'yes'],
    ['another namespace', 'get pods -n kube-system --as=jane', 'no'],
    ['all namespaces', 'list pods -A --as=jane', 'no'],
    ['a group', 'list configmaps --as=somebody --as-group=readers', 'yes'],
    ['an account', 'list configmaps --as=system:serviceaccount:default:default', 'no'],
    ['a URL', 'get /healthz --as=jane', 'yes'],
    ['a URL of administrators', 'get /logs --as=jane', 'no'],
    ['all', "'*' '*'", 'yes'],
  ])('kubectl auth can-i: %s', async (_, question, answer) => {
    const { code, stdout } = await cli.end(`auth can-i ${question}`)
    expect([code, stdout]).toEqual([answer === 'yes' ? 0 : 1, `${answer}\n`])
  })

  test('kubectl auth can-i: lists what one may, and warns of what is not there', async () => {
    const text = await cli.ok('auth can-i --list --as=jane')
    expect(text).toMatch(/^Resources +Non-Resource URLs +Resource Names +Verbs\n/)
    expect(text).toMatch(/^configmaps +\[\] +\[\] +\[get list\]$/m)
    expect(text).toMatch(/^selfsubjectaccessreviews\.authorization\.k8s\.io +\[\] +\[\] +\[create\]$/m)
    expect(text).toMatch(/^ +\[\/healthz\] +\[\] +\[get\]$/m)
    const { stderr } = await cli.end('auth can-i get nonsense')
    expect(stderr).toContain("Warning: the server doesn't have a resource type 'nonsense'")
  })

  test('kubectl auth reconcile: adds what is missing, keeps what is more, takes it away when told', async () => {
    const role = (verbs: string[]): string => JSON.stringify({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name: 'kept', namespace: 'default' }, rules: [{ apiGroups: [''], resources: ['pods'], verbs }] })
    const binding = (user: string): string => JSON.stringify({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', metadata: { name: 'kept', namespace: 'default' }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'kept' }, subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: user }] })
    expect(await cli.ok('auth reconcile -f -', { input: `${role(['get', 'list'])}\n${binding('a')}` })).toBe('role.rbac.authorization.k8s.io/kept reconciled\nrolebinding.rbac.authorization.k8s.io/kept reconciled\n')
    expect(await cli.ok('auth reconcile -f -', { input: `${role(['watch'])}\n${binding('b')}` })).toContain('role.rbac.authorization.k8s.io/kept reconciled\n')
    expect((await cli.get('rolebinding kept'))['subjects']).toMatchObject([{ name: 'a' }, { name: 'b' }])
    expect((await cli.get('role kept'))['rules']).toHaveLength(2)
    await cli.ok('auth reconcile --remove-extra-permissions --remove-extra-subjects -f -', { input: `${role(['watch'])}\n${binding('b')}` })
    expect([(await cli.get('role kept'))['rules'], (await cli.get('rolebinding kept'))['subjects']]).toMatchObject([[{ verbs: ['watch'] }], [{ name: 'b' }]])
  })

  test('kubectl auth whoami: by certificate, impersonated, with extras, by token', async () => {
    expect(await cli.ok('auth whoami')).toMatch(/^ATTRIBUTE +VALUE\nUsername +admin\nGroups +\[system:masters system:authenticated\]\nExtra: authentication\.kubernetes\.io\/credential-id +\[X509SHA256=[0-9a-f]{64}\]\n$/)
    expect(JSON.parse(await cli.ok('auth whoami -o json --as=jane --as-group=readers --as-uid=7'))).toMatchObject({ kind: 'SelfSubjectReview', status: { userInfo: { username: 'jane', uid: '7', groups: ['readers', 'system:authenticated'] } } })
    const token = (await cli.ok('create token default')).trim()
    expect(await cli.ok(`auth whoami --token=${token} --kubeconfig=/dev/null --server=${cli.under.url} --insecure-skip-tls-verify -o jsonpath={.status.userInfo.username}`)).toBe('system:serviceaccount:default:default')
  })
})

describe.skipIf(!hasKubectl)('what kubectl does with requests for certificates', () => {
  const ask = async (name: string): Promise<void> => {
    const { request } = await createCertificateRequest({ commonName: 'jane', organizations: ['readers'] })
    await cli.ok('create -f -', { input: JSON.stringify({ apiVersion: 'certificates.k8s.io/v1', kind: 'CertificateSigningRequest', metadata: { name }, spec: { request: Buffer.from(request).toString('base64'), signerName: 'kubernetes.io/kube-apiserver-client', usages: ['client auth'] } }) })
  }

  test('kubectl certificate approve: one that is signed may be issued, and shows as such', async () => {
    await ask('good')
    expect(await cli.ok('get csr good --no-headers')).toMatch(/^good +\S+ +kubernetes\.io\/kube-apiserver-client +admin +<none> +Pending\n$/)
    expect(await cli.ok('certificate approve good')).toBe('certificatesigningrequest.certificates.k8s.io/good approved\n')
    expect((await cli.get('csr good'))['status']['conditions']).toMatchObject([{ type: 'Approved', status: 'True', reason: 'KubectlApprove', message: 'This CSR was approved by kubectl certificate approve.' }])
    const { certificate } = await issueCertificate(cli.under.server.certificates.authority, { commonName: 'jane', organizations: [], usages: ['client'] })
    await cli.ok(`patch csr good --subresource=status --type=merge -p '{"status":{"certificate":"${Buffer.from(certificate).toString('base64')}"}}'`)
    expect(await cli.ok('get csr good --no-headers')).toMatch(/ Approved,Issued\n$/)
    await expect(cli.ok('certificate approve absent')).rejects.toThrow('certificatesigningrequests.certificates.k8s.io "absent" not found')
  })

  test('kubectl certificate deny: and a denied one is not approved afterwards', async () => {
    await ask('bad')
    expect(await cli.ok('certificate deny bad')).toBe('certificatesigningrequest.certificates.k8s.io/bad denied\n')
    expect(await cli.ok('get csr bad --no-headers')).toMatch(/ Denied\n$/)
    await expect(cli.ok('certificate approve bad --force')).rejects.toThrow('certificate signing request "bad" is already Denied')
  })
})
