// ComponentStatus, deprecated since 1.19: the health of the scheduler and the controllers as far as they run beside the server on their default ports, and of the storage.
import { request } from 'node:https'
import { core } from '@berth/api'
import type { ApiObject } from '../interfaces.ts'
import type { ResourceDefinition } from '../registry/definition.ts'

const neighbours = [['controller-manager', 10257], ['scheduler', 10259]] as const
const timeoutMs = 20_000

interface Health { readonly status: 'True' | 'False' | 'Unknown', readonly message?: string, readonly error?: string }

/** What /healthz says on a port of this machine. Nobody's certificate is looked at, as upstream does it. */
function probe(port: number): Promise<Health> {
  return new Promise((resolve) => {
    const url = `https://127.0.0.1:${port}/healthz`
    const failed = (error: Error & { code?: string }): void => {
      const why = error.code === 'ECONNREFUSED' ? `dial tcp 127.0.0.1:${port}: connect: connection refused` : error.message
      resolve({ status: 'False', message: `Get "${url}": ${why}` })
    }
    const asked = request(url, { rejectUnauthorized: false, timeout: timeoutMs }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (text: string) => { body += text }).on('error', failed).on('end', () => {
        const isWell = response.statusCode !== undefined && response.statusCode >= 200 && response.statusCode < 400
        resolve(isWell ? { status: 'True', message: body } : { status: 'False', message: `HTTP probe failed with statuscode: ${response.statusCode}` })
      })
    })
    asked.on('timeout', () => asked.destroy(new Error('context deadline exceeded'))).on('error', failed).end()
  })
}

function statusOf(name: string, { status, message = '', error = '' }: Health): ApiObject {
  const condition = { type: 'Healthy', status, ...(message === '' ? {} : { message }), ...(error === '' ? {} : { error }) }
  return { kind: 'ComponentStatus', apiVersion: 'v1', metadata: { name, creationTimestamp: null }, conditions: [condition] } as unknown as ApiObject
}

export const componentstatuses: ResourceDefinition = {
  resource: core.componentstatuses,
  storagePrefix: 'componentstatuses',
  deprecation: 'v1 ComponentStatus is deprecated in v1.19+',
  // The storage is asked by whoever gets here: the server would not be ready without it.
  computed: async () => [...await Promise.all(neighbours.map(async ([name, port]) => statusOf(name, await probe(port)))), statusOf('etcd-0', { status: 'True', message: 'ok' })],
}
