import { expect, test } from 'vitest'
import { nodeCapacity } from './capacity.ts'

const machine = { cpus: 4, memoryBytes: 8 * 2 ** 30 }

test.each([
  { nodes: 1, capacity: undefined },
  { nodes: 2, capacity: { cpu: '2000m', memory: '4194304Ki' } },
  { nodes: 3, capacity: { cpu: '1333m', memory: '2796202Ki' } },
  { nodes: 8, capacity: { cpu: '500m', memory: '1048576Ki' } },
])('$nodes nodes on one machine: each has its share, and together no more than there is', ({ nodes, capacity }) => {
  expect(nodeCapacity(nodes, machine)).toEqual(capacity)
})
