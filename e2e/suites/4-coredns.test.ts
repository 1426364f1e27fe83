// A stock CoreDNS as pods of the cluster: it finds the API by the environment, and asks it as its service account.
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { spawnSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Service } from '@berth/api/types/core/v1'
import { berth } from '../support/berth.ts'
import { get, hasKubectl, kubectl, tryKubectl } from '../support/kubectl.ts'
import { tool } from '../support/tools.ts'
import { eventually } from '../support/wait.ts'

const coredns = tool('coredns')
/** The image has nothing but the program, which therefore must need nothing else. */
const isStatic = coredns !== undefined && /not a dynamic executable|statically linked/.test(spawnSync('ldd', [coredns], { encoding: 'utf8' }).output.join(''))
if (!isStatic) console.log('skipped: there is no statically linked coredns')

const namespace = 'coredns-suite'
const ns = ['-n', namespace]
const image = 'berth.local/coredns:e2e'
const corefile = `.:53 {
  errors
  ready
  kubernetes cluster.local in-addr.arpa {
    pods verified
  }
}
`
const rules = [
  { apiGroups: [''], resources: ['endpoints', 'services', 'pods', 'namespaces'], verbs: ['list', 'watch'] },
  { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
]
const objects = [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
  { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'coredns', namespace } },
  { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: 'coredns-suite' }, rules },
  { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRoleBinding', metadata: { name: 'coredns-suite' }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'coredns-suite' }, subjects: [{ kind: 'ServiceAccount', name: 'coredns', namespace }] },
  { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'coredns', namespace }, data: { Corefile: corefile } },
  { apiVersion: 'v1', kind: 'Service', metadata: { name: 'coredns', namespace }, spec: { selector: { app: 'coredns' }, ports: [{ name: 'dns', port: 53, protocol: 'UDP' }, { name: 'dns-tcp', port: 53, protocol: 'TCP' }] } },
  {
    apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'coredns', namespace },
    spec: {
      replicas: 2, selector: { matchLabels: { app: 'coredns' } },
      template: {
        metadata: { labels: { app: 'coredns' } },
        spec: {
          serviceAccountName: 'coredns', dnsPolicy: 'Default', terminationGracePeriodSeconds: 1,
          volumes: [{ name: 'config', configMap: { name: 'coredns' } }],
          containers: [{
            name: 'coredns', image, imagePullPolicy: 'Never', args: ['-conf', '/etc/coredns/Corefile'], ports: [{ containerPort: 53, protocol: 'UDP' }],
            volumeMounts: [{ name: 'config', mountPath: '/etc/coredns', readOnly: true }], readinessProbe: { httpGet: { path: '/ready', port: 8181 }, periodSeconds: 1 },
            securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { add: ['NET_BIND_SERVICE'], drop: ['ALL'] } },
          }],
        },
      },
    },
  },
]

describe.skipIf(!isStatic || !hasKubectl)('a stock CoreDNS in the cluster (needs coredns, kubectl)', () => {
  /** What a pod of the guestbook is answered by CoreDNS' Service. */
  const ask = async (name: string): Promise<string> => {
    const server = (await get<Service>('service', 'coredns', ...ns)).spec.clusterIP ?? ''
    const { stdout, stderr } = await tryKubectl(['exec', 'deployment/redis-leader', '--', 'nslookup', name, server])
    return stdout + stderr
  }

  beforeAll(async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'berth-coredns-'))
    fs.copyFileSync(coredns ?? '', path.join(folder, 'coredns'))
    fs.writeFileSync(path.join(folder, 'Dockerfile'), 'FROM scratch\nCOPY coredns /coredns\nENTRYPOINT ["/coredns"]\n')
    const { code, stderr } = await berth(['image', 'build', '-t', image, folder])
    fs.rmSync(folder, { recursive: true })
    if (code !== 0) throw new Error(stderr)
    await kubectl(['apply', '-f', '-'], objects.map((object) => JSON.stringify(object)).join('\n'))
  })
  afterAll(async () => {
    await tryKubectl(['delete', 'clusterrole,clusterrolebinding', 'coredns-suite'])
    await tryKubectl(['delete', 'namespace', namespace, '--wait=true', '--timeout=90s'])
  })

  test('its pods become Ready with the rights of its usual ClusterRole, and are refused nothing', async () => {
    expect(await kubectl(['rollout', 'status', 'deployment/coredns', '--timeout=120s', ...ns])).toContain('successfully rolled out')
    expect(await kubectl(['logs', 'deployment/coredns', ...ns])).not.toMatch(/forbidden|Failed to (list|watch)|ERROR/)
  })

  test('pods ask it through its Service: for a Service, the API\'s own, a pod, and what is not there', async () => {
    const { clusterIP } = (await get<Service>('service', 'guestbook')).spec
    await eventually('the Service leads to it', async () => (await ask('guestbook.default.svc.cluster.local')).includes(`Address: ${clusterIP}`))
    expect(await ask('kubernetes.default.svc.cluster.local')).toMatch(/Address: 10\.\d+\.0\.1\b/)
    const podIp = await kubectl(['get', 'pods', '-l', 'app=redis,role=leader', '-o', 'jsonpath={.items[0].status.podIP}'])
    expect(await ask(`${podIp.replaceAll('.', '-')}.default.pod.cluster.local`)).toContain(`Address: ${podIp}`)
    expect(await ask('absent.default.svc.cluster.local')).toContain('NXDOMAIN')
  })

  test('it follows a headless Service as it is scaled', async () => {
    await kubectl(['create', 'service', 'clusterip', 'each', '--clusterip=None', '--tcp=80', ...ns])
    await kubectl(['set', 'selector', 'service', 'each', 'app=coredns', ...ns])
    const count = async (): Promise<number> => (await ask(`each.${namespace}.svc.cluster.local`)).match(/^Address: 10\./gm)?.length ?? 0
    await eventually('it has both', async () => (await count()) === 2)
    await kubectl(['scale', 'deployment', 'coredns', '--replicas=3', ...ns])
    await eventually('it has all three', async () => (await count()) === 3)
  })
})
