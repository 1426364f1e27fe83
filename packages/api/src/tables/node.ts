import type { Node } from '../types/core/v1.ts'
import { ageColumn, nameColumn } from './column.ts'
import type { KindTable } from './column.ts'
import { ageOf } from './duration.ts'

const rolePrefix = 'node-role.kubernetes.io/'

function roles(labels: Record<string, string> = {}): string {
  const found = Object.entries(labels).map(([key, value]) => (key.startsWith(rolePrefix) ? key.slice(rolePrefix.length) : key === 'kubernetes.io/role' ? value : ''))
  return [...new Set(found)].filter((role) => role !== '').sort().join(',') || '<none>'
}

function status({ spec, status }: Node): string {
  const ready = status?.conditions?.find((condition) => condition.type === 'Ready')
  const word = ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady'
  return spec?.unschedulable ? `${word},SchedulingDisabled` : word
}

const address = ({ status }: Node, type: string): string => status?.addresses?.find((a) => a.type === type)?.address ?? '<none>'

export const nodeTable: KindTable<Node> = {
  columns: [
    nameColumn,
    { name: 'Status', description: 'The status of the node' },
    { name: 'Roles', description: 'The roles of the node' },
    ageColumn,
    { name: 'Version', description: ['core/v1', 'NodeSystemInfo', 'kubeletVersion'] },
    { name: 'Internal-IP', wide: true, description: ['core/v1', 'NodeStatus', 'addresses'] },
    { name: 'External-IP', wide: true, description: ['core/v1', 'NodeStatus', 'addresses'] },
    { name: 'OS-Image', wide: true, description: ['core/v1', 'NodeSystemInfo', 'osImage'] },
    { name: 'Kernel-Version', wide: true, description: ['core/v1', 'NodeSystemInfo', 'kernelVersion'] },
    { name: 'Container-Runtime', wide: true, description: ['core/v1', 'NodeSystemInfo', 'containerRuntimeVersion'] },
  ],
  cells(node, now) {
    const info = node.status?.nodeInfo
    return [
      node.metadata.name, status(node), roles(node.metadata.labels), ageOf(node, now), info?.kubeletVersion ?? '', address(node, 'InternalIP'), address(node, 'ExternalIP'),
      info?.osImage || '<unknown>', info?.kernelVersion || '<unknown>', info?.containerRuntimeVersion || '<unknown>',
    ]
  },
}
