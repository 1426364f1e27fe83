import { describe, expect, test } from 'vitest'
import type { Pod } from '@berth/api/types/core/v1'
import { berth } from '../support/berth.ts'
import { get, hasKubectl, kubectl, tryKubectl } from '../support/kubectl.ts'
import { eventually } from '../support/wait.ts'

const pod = (spec: string, name = 'bad'): string => `apiVersion: v1\nkind: Pod\nmetadata: { name: ${name} }\nspec: ${spec}\n`
const container = (more = ''): string => `{ name: c, image: berth.local/redis:1, command: [sleep, "3600"]${more} }`

describe.skipIf(!hasKubectl)('what cannot be is refused in upstream\'s words (needs kubectl)', () => {
  test.each<[string, string, RegExp]>([
    ['an unknown field', pod(`{ containers: [${container()}], colour: blue }`), /strict decoding error: unknown field "spec\.colour"/],
    ['a wrong type', pod(`{ containers: [${container(', env: [{ name: A, value: 5 }]')}] }`), /json: cannot unmarshal number into Go struct field EnvVar\.spec\.containers\.env\.value of type string/],
    ['a bad quantity', pod(`{ containers: [${container(', resources: { requests: { cpu: lots } }')}] }`), /quantities must match the regular expression/],
    ['a missing field', pod('{ containers: [{ name: c }] }'), /spec\.containers\[0\]\.image: Required value/],
    ['a bad name', pod(`{ containers: [${container()}] }`, 'Bad_Name'), /metadata\.name: Invalid value: "Bad_Name": a lowercase RFC 1123 subdomain/],
    ['a request above its limit', pod(`{ containers: [${container(', resources: { requests: { cpu: "2" }, limits: { cpu: "1" } }')}] }`), /spec\.containers\[0\]\.resources\.requests: Invalid value: "2": must be less than or equal to cpu limit of 1/],
    ['a selector that is not the template\'s', 'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: bad }\nspec: { selector: { matchLabels: { a: b } }, template: { metadata: { labels: { a: c } }, spec: { containers: [{ name: c, image: x }] } } }\n', /`selector` does not match template `labels`/],
  ])('%s', async (_, manifest, message) => {
    const { code, stderr } = await tryKubectl(['create', '-f', '-'], manifest)
    expect([code, stderr]).toEqual([1, expect.stringMatching(message)])
  })

  test('an immutable field', async () => {
    await kubectl(['apply', '-f', '-'], pod(`{ containers: [${container()}], terminationGracePeriodSeconds: 1 }`, 'fixed'))
    const { code, stderr } = await tryKubectl(['patch', 'pod', 'fixed', '-p', '{"spec":{"nodeSelector":{"a":"b"}}}'])
    expect([code, stderr]).toEqual([1, expect.stringContaining('spec: Forbidden: pod updates may not change fields other than')])
    await kubectl(['delete', 'pod', 'fixed', '--grace-period=1'])
  })

  test('a kind that is not served yet', async () => {
    const job = await tryKubectl(['create', '-f', '-'], 'apiVersion: batch/v2\nkind: Job\nmetadata: { name: x }\n')
    expect([job.code, job.stderr]).toEqual([1, expect.stringContaining('no matches for kind "Job" in version "batch/v2"')])
    // Of a group version that is served, kubectl would first look for a custom resource (docs/limits.md).
    const { code, stderr } = await tryKubectl(['create', '--validate=false', '-f', '-'], 'apiVersion: apps/v1\nkind: CloneSet\nmetadata: { name: x }\n')
    expect([code, stderr]).toEqual([1, expect.stringContaining('no matches for kind "CloneSet" in version "apps/v1"')])
  })

  test('a pod that fits nowhere says why, node by node', async () => {
    await kubectl(['apply', '-f', '-'], pod(`{ containers: [${container(', resources: { requests: { cpu: "1000", memory: 64Ti } }')}] }`, 'huge'))
    const message = await eventually('it is unschedulable', async () => (await get<Pod>('pod', 'huge')).status?.conditions?.find((c) => c.type === 'PodScheduled' && c.status === 'False')?.message)
    expect(message).toBe('0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.')
    await eventually('the event is there', async () => (await kubectl(['describe', 'pod', 'huge'])).includes('FailedScheduling'))
    const { code, stdout, stderr } = await berth(['why', 'huge'])
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/default\/huge waits for a node \(pending, default-scheduler\)\.[^]*Insufficient cpu +NodeResourcesFit +n1[^]*n1 lacks \d+m? cpu, .* memory/)
    const elsewhere = await berth(['what-if', '--drain', 'n1', '-o', 'json'])
    expect(elsewhere.code).toBe(0)
    // One node: nothing can go anywhere, and nothing was touched.
    expect((JSON.parse(elsewhere.stdout) as { placements: unknown[]; pending: unknown[] })).toMatchObject({ placements: [], pending: expect.arrayContaining([expect.objectContaining({ from: 'n1' })]) })
    await kubectl(['delete', 'pod', 'huge', '--grace-period=0', '--force'])
  })

  test('an image that cannot be had: ErrImagePull, then ImagePullBackOff', async () => {
    await kubectl(['apply', '-f', '-'], pod('{ containers: [{ name: c, image: "registry.invalid/nothing:1" }], terminationGracePeriodSeconds: 1 }', 'imageless'))
    const reason = async (): Promise<string | undefined> => (await get<Pod>('pod', 'imageless')).status?.containerStatuses?.[0]?.state?.waiting?.reason
    await eventually('ErrImagePull', async () => (await kubectl(['get', 'events', '--field-selector', 'involvedObject.name=imageless'])).includes('Error: ErrImagePull'))
    await eventually('ImagePullBackOff', async () => (await reason()) === 'ImagePullBackOff')
    expect((await get<Pod>('pod', 'imageless')).status?.containerStatuses?.[0]?.state?.waiting?.message).toContain('Back-off pulling image "registry.invalid/nothing:1"')
    await kubectl(['delete', 'pod', 'imageless', '--grace-period=1'])
  })
})
