import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js'
import { declarations, packageName } from './descriptor/descriptor.ts'
import { methodName } from './descriptor/names.ts'
import { buildCodecs, type MessageCodec } from './wire/codec.ts'

const codecs = buildCodecs(declarations)

/** The codec of a CRI message, by its name. Throws where CRI has no such message. */
export function codecOf(message: string): MessageCodec {
  const codec = codecs.get(message)
  if (!codec) throw new Error(`CRI v1 has no message ${message}`)
  return codec
}

/** One RPC as grpc-js wants it, and its name as CRI writes it. */
export interface Rpc extends MethodDefinition<object, object> {
  name: string
}

/** gRPC's definition of a CRI service, its methods by our names (`runPodSandbox`). */
export function serviceDefinition(service: 'RuntimeService' | 'ImageService'): Record<string, Rpc> & ServiceDefinition {
  const declaration = declarations.get(service)
  if (!declaration || !('methods' in declaration)) throw new Error(`CRI v1 has no service ${service}`)
  const definition: Record<string, Rpc> = {}
  for (const [rpc, method] of Object.entries(declaration.methods)) {
    const request = codecOf(method.requestType)
    const response = codecOf(method.responseType)
    definition[methodName(rpc)] = {
      name: rpc,
      path: `/${packageName}.${service}/${rpc}`,
      requestStream: false,
      responseStream: method.responseStream === true,
      requestSerialize: (message) => request.encode(message),
      requestDeserialize: (bytes) => request.decode(bytes),
      responseSerialize: (message) => response.encode(message),
      responseDeserialize: (bytes) => response.decode(bytes),
    }
  }
  return definition
}
