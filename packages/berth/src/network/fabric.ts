import fs from 'node:fs'
import { exec, execIn, tryExec } from '../exec.ts'
import { gatewayAddress, nodeAddress, serverAddress, type Instance } from '../instance/instance.ts'
import type { Layout } from '../instance/layout.ts'

/** The path that names the fabric's network namespace. */
export function fabricNetns(layout: Layout): string {
  return `/run/netns/${layout.name}`
}

/** The machine's end of the link to the fabric; at most 15 characters, as the kernel wants. */
export function hostLink(layout: Layout): string {
  return `${layout.name}0`
}

const bridge = 'br0'

/**
 * Makes the fabric: a network namespace with a bridge that joins the server, the nodes and the machine. Whatever of it
 * is there already is left as it is.
 */
export async function ensureFabric(layout: Layout, instance: Instance): Promise<void> {
  const netns = fabricNetns(layout)
  if (!fs.existsSync(netns)) await unlessThere(() => fs.existsSync(netns), () => exec(['ip', 'netns', 'add', layout.name]))
  const hasBridge = async (): Promise<boolean> => (await tryExec(['ip', '-n', layout.name, 'link', 'show', bridge])) !== undefined
  await unlessThere(hasBridge, () => execIn(netns, ['ip', '-batch', '-'], { input: [
    'link set lo up',
    `link add ${bridge} type bridge forward_delay 0 mcast_snooping 0`,
    `addr add ${serverAddress(instance)}/24 dev ${bridge}`,
    `link set ${bridge} up`,
    `route add default via ${gatewayAddress(instance)}`,
    '',
  ].join('\n') }))
  const link = hostLink(layout)
  await unlessThere(async () => (await tryExec(['ip', 'link', 'show', link])) !== undefined, async () => {
    await exec(['ip', 'link', 'add', link, 'type', 'veth', 'peer', 'name', 'host', 'netns', layout.name])
    await execIn(netns, ['ip', '-batch', '-'], { input: `link set host master ${bridge}\nlink set host up\n` })
    await exec(['ip', '-batch', '-'], { input: `addr add ${gatewayAddress(instance)}/24 dev ${link}\nlink set ${link} up\n` })
  })
}

/** Makes what is not there. Server and agents start at the same time: what another has made meanwhile is no failure. */
async function unlessThere(isThere: () => boolean | Promise<boolean>, make: () => Promise<unknown>): Promise<void> {
  if (await isThere()) return
  try {
    await make()
  } catch (error) {
    if (!String(error).includes('File exists') || !await isThere()) throw error
  }
}

/**
 * Gives a node its link to the fabric: `eth0` inside the anchor's network namespace, with the node's address and the
 * machine as default gateway. A link left of an earlier anchor goes first.
 */
export async function ensureNodeLink(layout: Layout, instance: Instance, node: string, anchorPid: number): Promise<void> {
  const inside = `/proc/${anchorPid}/ns/net`
  if ((await tryExec(['nsenter', `--net=${inside}`, 'ip', 'route', 'show', 'default', 'dev', 'eth0']))?.trim()) return
  const netns = fabricNetns(layout)
  const port = `node-${node}`
  await tryExec(['ip', '-n', layout.name, 'link', 'del', port])
  await tryExec(['nsenter', `--net=${inside}`, 'ip', 'link', 'del', 'eth0'])
  await execIn(netns, ['ip', 'link', 'add', port, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(anchorPid)])
  await execIn(netns, ['ip', '-batch', '-'], { input: `link set ${port} master ${bridge}\nlink set ${port} up\n` })
  await execIn(inside, ['ip', '-batch', '-'], { input: [
    'link set lo up',
    `addr add ${nodeAddress(instance, node)}/24 dev eth0`,
    'link set eth0 up',
    `route add default via ${gatewayAddress(instance)}`,
    '',
  ].join('\n') })
}

/** Removes the fabric and the machine's link to it. */
export async function removeFabric(layout: Layout): Promise<void> {
  await tryExec(['ip', 'link', 'del', hostLink(layout)])
  if (fs.existsSync(fabricNetns(layout))) await tryExec(['ip', 'netns', 'del', layout.name])
}
