import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readConfigFile } from '@berth/kube'
import { describe, expect, it } from 'vitest'
import { parseLabels, parseTaints } from '../command.ts'
import { type KubeletConfiguration, resolveSettings } from './configuration.ts'
import { kubeletConfigurationShape } from './shape.ts'

const read = async (text: string): Promise<KubeletConfiguration> => {
  const dir = await mkdtemp(join(tmpdir(), 'config-'))
  try {
    await writeFile(join(dir, 'c.yaml'), `apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n${text}`)
    return await readConfigFile(join(dir, 'c.yaml'), { group: 'kubelet.config.k8s.io', version: 'v1beta1', kind: 'KubeletConfiguration' }, kubeletConfigurationShape)
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}
const resolve = (config: KubeletConfiguration) => resolveSettings({ nodeName: 'n', rootDir: '/x', config })

describe('KubeletConfiguration', () => {
  it('has upstream\'s defaults', () => {
    expect(resolve({})).toMatchObject({ port: 10_250, maxPods: 110, syncFrequencyMs: 60_000, nodeStatusUpdateMs: 10_000, nodeStatusReportMs: 300_000, failCgroupV1: true, anonymousAuth: false, webhookAuthorization: true, containerLogMaxBytes: 10 * 1024 * 1024, changeDetection: 'Watch' })
  })
  it('is read with its durations and quantities; zero means the default, as kubeadm writes it', async () => {
    expect(resolve(await read('syncFrequency: 0s\nnodeStatusUpdateFrequency: 5s\ncontainerLogMaxSize: 1Mi\nclusterDNS: [10.96.0.10]\nserializeImagePulls: false\n'))).toMatchObject({ syncFrequencyMs: 60_000, nodeStatusUpdateMs: 5000, containerLogMaxBytes: 1_048_576, maxParallelPulls: 0 })
  })
  it.each([['prot: 1', 'prot'], ['port: many', 'port'], ['authentication: {x509: {clientCa: a}}', 'authentication.x509.clientCa']])('%s is an error at %s', async (text, where) => {
    await expect(read(`${text}\n`)).rejects.toThrow(where)
  })
  it.each([
    [{ cgroupDriver: 'systemd' }, 'cgroupDriver: "systemd": this kubelet serves cgroupfs only'], [{ readOnlyPort: 10_255 }, 'readOnlyPort'], [{ cpuManagerPolicy: 'static' }, 'cpuManagerPolicy'], [{ rotateCertificates: true }, 'rotateCertificates: true: this kubelet does not serve the field'],
    [{ evictionSoft: { 'memory.available': '1Gi' } }, 'evictionSoft'], [{ authorization: { mode: 'Nobody' } }, 'authorization.mode'], [{ imageGCLowThresholdPercent: 90 }, 'imageGCLowThresholdPercent'],
  ] as [KubeletConfiguration, string][])('%j is refused', (config, message) => expect(() => resolve(config)).toThrow(message))

  const facts = process.env.BERTH_FACTS ? join(process.env.BERTH_FACTS, 'config-types.json') : ''
  it.skipIf(!existsSync(facts))('knows every field of the published type', async () => {
    const types = JSON.parse(await readFile(facts, 'utf8')) as { packages: Record<string, { types: Record<string, { fields: Record<string, unknown> }> }> }
    const published = Object.keys(types.packages['kubelet/config/v1beta1']?.types.KubeletConfiguration?.fields ?? {}).filter((f) => !f.startsWith('inline:'))
    expect(kubeletConfigurationShape.type === 'object' ? Object.keys(kubeletConfigurationShape.fields).toSorted() : []).toEqual(published.toSorted())
  })
})

describe('flags', () => {
  it('name labels and taints', () => {
    expect(parseLabels(['a=b,c=d', 'e='])).toEqual({ a: 'b', c: 'd', e: '' })
    expect(parseTaints(['k=v:NoSchedule,x:NoExecute'])).toEqual([{ key: 'k', value: 'v', effect: 'NoSchedule' }, { key: 'x', effect: 'NoExecute' }])
  })
  it.each([() => parseLabels(['a']), () => parseTaints(['k=v']), () => parseTaints(['k:Sometimes'])])('that are wrong are refused', (parse) => expect(parse).toThrow('invalid argument'))
})
