import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { issueCertificate } from '@berth/kube'
import type { TestCluster } from './cluster.ts'

/** The path of a stock kube-scheduler, or undefined. */
export function findKubeScheduler(): string | undefined {
  const places = [process.env['KUBEBUILDER_ASSETS'] ?? '/usr/local/kubebuilder/bin', ...(process.env['PATH'] ?? '').split(delimiter)]
  return places.map((place) => join(place, 'kube-scheduler')).find((path) => existsSync(path))
}

/** Starts a kube-scheduler as a stock cluster runs it, with these extenders; gives how to stop it and what it wrote. */
export async function startKubeScheduler(binary: string, cluster: TestCluster, extenders: readonly Record<string, unknown>[]): Promise<{ log: () => string; stop(): Promise<void> }> {
  const { certificates, port } = cluster.server
  const client = await issueCertificate(certificates.authority, { commonName: 'system:kube-scheduler', organizations: ['system:masters'], usages: ['client'] })
  const base64 = (text: string): string => Buffer.from(text).toString('base64')
  const kubeconfig = join(cluster.directory, 'kube-scheduler.conf')
  await writeFile(kubeconfig, JSON.stringify({
    apiVersion: 'v1', kind: 'Config', 'current-context': 'x',
    clusters: [{ name: 'x', cluster: { server: `https://127.0.0.1:${port}`, 'certificate-authority-data': base64(certificates.servingCa) } }],
    users: [{ name: 'x', user: { 'client-certificate-data': base64(client.certificate), 'client-key-data': base64(client.key) } }],
    contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }],
  }), { mode: 0o600 })
  const config = join(cluster.directory, 'kube-scheduler.json')
  await writeFile(config, JSON.stringify({
    apiVersion: 'kubescheduler.config.k8s.io/v1', kind: 'KubeSchedulerConfiguration',
    clientConnection: { kubeconfig, contentType: 'application/json' }, leaderElection: { leaderElect: false }, podInitialBackoffSeconds: 1, podMaxBackoffSeconds: 1, extenders,
  }))
  const child = spawn(binary, ['--config', config, '--secure-port=0', '--v=4'], { stdio: ['ignore', 'pipe', 'pipe'] })
  let log = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => { log += chunk.toString() })
  const ended = new Promise<void>((resolve) => { child.once('exit', () => resolve()) })
  return {
    log: () => log,
    async stop() {
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), 5000)
      await ended
      clearTimeout(timer)
    },
  }
}
