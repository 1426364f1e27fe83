import { describe, expect, test } from 'vitest'
import { cgroupFilesOf, cgroupWrites } from './cgroup-files.ts'

const limit = (pageSize: string, bytes: bigint): { pageSize: string; limit: bigint } => ({ pageSize, limit: bytes })

describe('what the shim writes into a cgroup itself', () => {
  test('is nothing where only zero huge pages are asked for and there is no controller', () => {
    expect(cgroupFilesOf({ hugepageLimits: [limit('2MB', 0n)], unified: {} }, { version: 1, hugepages: false })).toBeUndefined()
    expect(cgroupFilesOf(undefined, { version: 2, hugepages: true })).toBeUndefined()
  })

  test('goes to the files of either version', () => {
    const files = cgroupFilesOf({ hugepageLimits: [limit('2MB', 4194304n), limit('1GB', 0n)], unified: {} }, { version: 1, hugepages: true })
    expect(cgroupWrites(files ?? {}, { version: 1, cpu: '/c', hugetlb: '/h' })).toEqual([
      ['/sys/fs/cgroup/hugetlb/h/hugetlb.2MB.limit_in_bytes', '4194304'],
      ['/sys/fs/cgroup/hugetlb/h/hugetlb.1GB.limit_in_bytes', '0'],
    ])
    const second = cgroupFilesOf({ hugepageLimits: [limit('2MB', 4194304n)], unified: { 'memory.high': '1000' } }, { version: 2, hugepages: true })
    expect(cgroupWrites(second ?? {}, { version: 2, cpu: '/k', hugetlb: '/k' })).toEqual([
      ['/sys/fs/cgroup/k/hugetlb.2MB.max', '4194304'],
      ['/sys/fs/cgroup/k/memory.high', '1000'],
    ])
  })

  test.each([
    ['huge pages without a controller', { hugepageLimits: [limit('2MB', 1n)], unified: {} }, { version: 2, hugepages: false }, 'resources.hugepage_limits'],
    ['a page size that is none', { hugepageLimits: [limit('../x', 0n)], unified: {} }, { version: 2, hugepages: true }, 'is no page size'],
    ['the unified hierarchy on version 1', { hugepageLimits: [], unified: { 'memory.high': '1' } }, { version: 1, hugepages: true }, 'cgroup v1, which knows no memory.high'],
    ['a path in place of a file', { hugepageLimits: [], unified: { '../../memory.high': '1' } }, { version: 2, hugepages: true }, 'is no file of a cgroup'],
  ] as const)('refuses %s', (_name, resources, abilities, message) => {
    expect(() => cgroupFilesOf({ hugepageLimits: [...resources.hugepageLimits], unified: resources.unified }, abilities)).toThrow(message)
  })
})
