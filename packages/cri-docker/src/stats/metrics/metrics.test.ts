import { describe, expect, test } from 'vitest'
import { commonLabels, metricDefinitions } from './descriptors.ts'
import { metricsOf } from './pod-metrics.ts'
import { type MetricSample, parseBlkio, parseIoStat, parsePressure } from './sample.ts'

describe('the kernel’s files', () => {
  test('devices of cgroup v1 are joined out of bytes and counts', () => {
    expect(parseBlkio('8:0 Read 4096\n8:0 Write 1024\n8:0 Total 5120\nTotal 5120\n', '8:0 Read 2\n8:0 Write 1\nTotal 3\n')).toEqual([
      { major: '8', minor: '0', operation: 'Read', bytes: 4096n, count: 2n },
      { major: '8', minor: '0', operation: 'Write', bytes: 1024n, count: 1n },
    ])
  })

  test('devices of cgroup v2', () => {
    expect(parseIoStat('254:0 rbytes=10 wbytes=20 rios=1 wios=2 dbytes=0 dios=0\n').map(({ operation, bytes, count }) => [operation, bytes, count])).toEqual([
      ['Read', 10n, 1n],
      ['Write', 20n, 2n],
      ['Discard', 0n, 0n],
    ])
  })

  test('pressure has some and full, and older kernels’ CPU only some', () => {
    expect(parsePressure('some avg10=0.00 avg60=0.00 avg300=0.00 total=7\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=3\n')).toEqual({ some: 7n, full: 3n })
    expect(parsePressure('some avg10=0.00 avg60=0.00 avg300=0.00 total=7\n')).toEqual({ some: 7n, full: 0n })
    expect(parsePressure('')).toBeUndefined()
  })
})

describe('metrics', () => {
  const sample: MetricSample = {
    cpuNs: 2_500_000_000n,
    memory: new Map([['usage', 100n], ['pageFaults', 9n]]),
    devices: [{ major: '8', minor: '0', operation: 'Read', bytes: 4096n, count: 2n }],
    hugePages: [{ size: '2MB', usage: 1n, maxUsage: 2n }],
    pressure: new Map([['cpu', { some: 3_000_000n, full: 0n }]]),
  }
  const common = ['main', 'id', 'image', 'name', 'ns', 'pod']
  const metrics = metricsOf({ sample, now: 5000 }, common)
  const of = (name: string): unknown[] => metrics.filter((metric) => metric.name === name).map(({ labelValues, value }) => [labelValues?.slice(common.length), value?.value])

  test('have a value for what is known, with the labels of their description, and none for the rest', () => {
    expect(of('container_cpu_usage_seconds_total')).toEqual([[['total'], 2n]])
    expect(of('container_memory_usage_bytes')).toEqual([[[], 100n]])
    expect(of('container_memory_rss')).toEqual([])
    expect(of('container_fs_reads_bytes_total')).toEqual([[['8:0'], 4096n]])
    expect(of('container_fs_writes_total')).toEqual([])
    expect(of('container_hugetlb_max_usage_bytes')).toEqual([[['2MB'], 2n]])
    expect(of('container_pressure_cpu_waiting_seconds_total')).toEqual([[[], 3n]])
    expect(of('container_last_seen')).toEqual([[[], 5n]])
    expect(of('container_start_time_seconds')).toEqual([])
  })

  test('have as many labels as their descriptions', () => {
    for (const { name, labelValues } of metrics) expect([name, labelValues?.length]).toEqual([name, commonLabels.length + (metricDefinitions.find((definition) => definition.name === name)?.labels.length ?? -1)])
  })

  test('are described once each, in words', () => {
    const names = metricDefinitions.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    expect(names).toHaveLength(56)
    for (const { help } of metricDefinitions) expect(help).toMatch(/^[A-Z].*\.$/)
  })
})
