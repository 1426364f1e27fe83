import { networkInterfaces } from 'node:os'
import type { Node } from '@berth/api/types/core/v1'
import type { ProxySettings } from './config.ts'
import type { LocalDetector } from './ruleset/table.ts'
import { isIpv4, nodePortAddresses } from './services/addresses.ts'
import type { NodePlace } from './services/frontends.ts'

/** Where this node is, out of its Node object (undefined: not known yet) and its interfaces. */
export function placeOf(nodeName: string, node: Node | undefined, settings: ProxySettings, interfaces = localAddresses()): NodePlace {
  const primary = node?.status?.addresses?.find((address) => address.type === 'InternalIP' && isIpv4(address.address))?.address
  return {
    nodeName,
    zone: node?.metadata.labels?.['topology.kubernetes.io/zone'],
    nodePortAddresses: nodePortAddresses(settings.nodePortAddresses, primary, interfaces),
    masqueradeAll: settings.masqueradeAll,
  }
}

/** How packets of this cluster's pods are told; undefined where the configuration gives nothing to tell them by. */
export function detectorOf(node: Node | undefined, { detectLocal, clusterCidr }: ProxySettings): LocalDetector | undefined {
  if (detectLocal.mode === 'BridgeInterface') return { local: `iifname "${detectLocal.name}"`, notLocal: `iifname != "${detectLocal.name}"` }
  if (detectLocal.mode === 'InterfaceNamePrefix') return { local: `iifname "${detectLocal.name}*"`, notLocal: `iifname != "${detectLocal.name}*"` }
  const cidr = detectLocal.mode === 'ClusterCIDR' ? clusterCidr : node?.spec?.podCIDR
  return cidr ? { local: `ip saddr ${cidr}`, notLocal: `ip saddr != ${cidr}` } : undefined
}

/** Whether load balancers should send traffic here: not while the node is going away. */
export function isEligible(node: Node | undefined): boolean {
  return node?.metadata.deletionTimestamp === undefined && !node?.spec?.taints?.some((taint) => taint.key === 'ToBeDeletedByClusterAutoscaler')
}

function localAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((addresses) => (addresses ?? []).map((address) => address.address))
}
