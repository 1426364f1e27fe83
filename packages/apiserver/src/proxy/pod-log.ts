import { core } from '@berth/api'
import type { Pod } from '@berth/api/types/core/v1'
import { badRequest, internalError, StatusError } from '../errors.ts'
import type { ConnectHandler } from '../interfaces.ts'
import { sendToBackend, streamedAnswer, textOf } from './backend.ts'
import { containerOf } from './container.ts'
import type { KubeletAccess } from './kubelet-access.ts'
import { booleanOption, logQuery } from './options.ts'

/** pods/log: the log of a container, read from the kubelet of the pod's node and passed on as it comes. */
export function podLog(kubelet: KubeletAccess): ConnectHandler {
  return {
    parent: core.pods,
    subresource: 'log',
    methods: ['GET'],
    async connect({ request, query, parent }) {
      const pod = parent as unknown as Pod
      const wanted = logQuery(query, pod.metadata.name)
      const container = containerOf(pod, query.get('container') ?? '')
      const headers = { 'content-type': 'text/plain' }
      // A pod that no node has yet has written nothing.
      if (!pod.spec?.nodeName) return { status: 200, headers, body: '' }
      const path = `/containerLogs/${pod.metadata.namespace ?? ''}/${pod.metadata.name}/${container}`
      const tls = kubelet.tls(booleanOption(query, 'insecureSkipTLSVerifyBackend'))
      const url = kubelet.url(pod.spec.nodeName, path, wanted)
      const answer = await sendToBackend(url, { method: 'GET', headers: {}, signal: request.signal, tls }).catch((error: unknown) => { throw internalError(error) })
      const status = answer.statusCode ?? 500
      if (status >= 200 && status <= 206) return streamedAnswer(answer, headers)
      throw refusal(status, await textOf(answer), pod.metadata.name)
    },
  }
}

/** What a kubelet's refusal becomes for the client. */
function refusal(status: number, text: string, name: string): StatusError {
  if (status === 500) return internalError(new Error(text))
  if (status === 400) return badRequest(text)
  const known: Record<number, [reason: string, message: string]> = {
    401: ['Unauthorized', 'the server has asked for the client to provide credentials'],
    403: ['Forbidden', text || 'the server does not allow this method on the requested resource'],
    404: ['NotFound', 'the server could not find the requested resource'],
    405: ['MethodNotAllowed', 'the server does not allow this method on the requested resource'],
    503: ['ServiceUnavailable', text || 'the server is currently unable to handle the request'],
  }
  const [reason, message] = known[status] ?? ['', `the server responded with the status code ${status} but did not return more information`]
  return new StatusError(status, reason, `${message} ( pods/log ${name})`, { name, kind: 'pods/log', ...(text && { causes: [{ reason: 'UnexpectedServerResponse', message: text }] }) })
}
