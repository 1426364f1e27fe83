import { describe, expect, it } from 'vitest'
import { nodeSubresources } from './authentication.ts'

describe('what a path of the server stands for', () => {
  it.each([
    ['/stats/summary', ['stats']], ['/metrics/cadvisor', ['metrics']], ['/logs/x', ['log']], ['/pods', ['pods', 'proxy']], ['/healthz', ['healthz', 'proxy']], ['/configz', ['configz', 'proxy']],
    ['/exec/ns/p/c', ['proxy']], ['/containerLogs/ns/p/c', ['proxy']], ['/podsx', ['proxy']], ['/', ['proxy']],
  ])('%s is %j of nodes', (path, expected) => expect(nodeSubresources(path)).toEqual(expected))
})
