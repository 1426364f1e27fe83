// The same with Node's own test runner: node --test test/node-test.ts
import assert from 'node:assert/strict'
import test from 'node:test'
import { startCluster } from '@berth/testing'
import { startOperator } from '../src/operator.ts'
import type { Website } from '../src/website.ts'

test('a website is served, as long as the operator may write Deployments', async (t) => {
  const cluster = await startCluster({ nodes: 1, crds: new URL('../config/websites.yaml', import.meta.url) })
  const user = await cluster.user('website-operator')
  await cluster.apply(`
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: website-operator }
rules:
  - { apiGroups: [examples.berth.dev], resources: [websites], verbs: [get, list, watch] }
  - { apiGroups: [examples.berth.dev], resources: [websites/status], verbs: [update] }
  - { apiGroups: [''], resources: [configmaps], verbs: [get, create, patch] }
  - { apiGroups: [apps], resources: [deployments], verbs: [get, list, watch, create, patch] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: website-operator }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: website-operator }
subjects: [{ apiGroup: rbac.authorization.k8s.io, kind: User, name: website-operator }]
`)
  const operator = await startOperator(user.kubeConfig())
  t.after(async () => {
    await operator.stop()
    await cluster.stop()
  })

  await cluster.apply({ apiVersion: 'examples.berth.dev/v1', kind: 'Website', metadata: { name: 'home' }, spec: { html: '<h1>Ahoy</h1>' } })
  const site = await cluster.waitFor<Website>('website/home', ({ status }) => status?.availableReplicas === 1)

  assert.equal(site.spec.replicas, 1)
})
