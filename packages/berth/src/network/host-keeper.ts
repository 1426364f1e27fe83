import type { Logger } from '@berth/kube'
import { exec } from '../exec.ts'
import type { Instance } from '../instance/instance.ts'
import type { Layout } from '../instance/layout.ts'
import { ensureForwarding, ensureHostTable } from './host-rules.ts'

const intervalMs = 15_000

/**
 * Looks now and then whether the machine's own namespace still lets the underlay through: others' firewalls reload.
 * Gives the function that ends it.
 */
export function keepHostRules(layout: Layout, instance: Instance, logger: Logger): () => void {
  const run: typeof exec = (argv, options) => exec(['nsenter', `--net=${layout.hostNetns}`, ...argv], options)
  let last = ''
  const timer = setInterval(() => {
    const work = async (): Promise<void> => {
      if (!(await run(['nft', 'list', 'tables'])).split('\n').includes(`table ip ${layout.name}`)) {
        logger.info('The machine\'s table was gone; loading it again')
        await ensureHostTable(layout, instance, run)
      }
      await ensureForwarding(layout, run)
      last = ''
    }
    work().catch((error: unknown) => {
      const text = String(error)
      if (text !== last) logger.error(error, 'Failed to check the machine\'s forwarding rules')
      last = text
    })
  }, intervalMs)
  timer.unref()
  return () => clearInterval(timer)
}
