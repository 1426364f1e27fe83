import os from 'node:os'

/**
 * What each of several nodes on one machine may say it has: an equal share of its processors and memory. One node alone
 * has all of it, which the kubelet finds itself (undefined).
 */
export function nodeCapacity(nodes: number, machine: { cpus: number; memoryBytes: number } = { cpus: os.availableParallelism(), memoryBytes: os.totalmem() }): Record<string, string> | undefined {
  if (nodes <= 1) return undefined
  return { cpu: `${Math.floor((machine.cpus * 1000) / nodes)}m`, memory: `${Math.floor(machine.memoryBytes / nodes / 1024)}Ki` }
}

