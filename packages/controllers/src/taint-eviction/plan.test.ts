import type { Pod, Taint, Toleration } from '@berth/api/types/core/v1'
import { expect, test } from 'vitest'
import { evictionTime } from './plan.ts'

const now = Date.parse('2026-01-01T00:10:00Z')
const unreachable: Taint = { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute', timeAdded: '2026-01-01T00:09:00Z' }
const pod = (...tolerations: Toleration[]): Pod => ({ metadata: { name: 'p' }, spec: { containers: [], tolerations } })
const forSeconds = (tolerationSeconds?: number): Toleration => ({ key: unreachable.key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds })

test.each<[string, Pod, Taint[], number | undefined]>([
  ['never without taints', pod(), [], undefined],
  ['never for taints that do not evict', pod(), [{ key: 'a', effect: 'NoSchedule' }], undefined],
  ['at once where it does not tolerate', pod(), [unreachable], now],
  ['never where it tolerates for good', pod(forSeconds()), [unreachable], undefined],
  ['so long after the taint was added', pod(forSeconds(300)), [unreachable], now + 240_000],
  ['at once where that has passed', pod(forSeconds(30)), [unreachable], now],
  ['at once for zero and less', pod(forSeconds(-1)), [unreachable], now],
  ['after the least of several', pod(forSeconds(300), forSeconds(100), forSeconds()), [unreachable], now + 40_000],
  ['at once where one of two taints is not tolerated', pod(forSeconds(300)), [unreachable, { key: 'x', effect: 'NoExecute' }], now],
])('a pod leaves %s', (_name, given, taints, want) => {
  expect(evictionTime(given, taints, now)).toBe(want)
})
