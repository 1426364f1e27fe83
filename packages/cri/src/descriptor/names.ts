/**
 * The name a protobuf field has in JSON and in our types: an underscore goes and the letter after it becomes a capital
 * (`pod_sandbox_id` is `podSandboxId`, `CDI_devices` is `CDIDevices`), as the protobuf specification's JSON mapping says.
 */
export function jsonName(fieldName: string): string {
  return fieldName.replace(/_+(.?)/g, (_match, letter: string) => letter.toUpperCase())
}

/** The name a method has in our client and server interfaces: `RunPodSandbox` is `runPodSandbox`. */
export function methodName(rpc: string): string {
  return rpc.charAt(0).toLowerCase() + rpc.slice(1)
}
