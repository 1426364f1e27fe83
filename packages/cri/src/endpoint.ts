/**
 * The path of a CRI endpoint: `unix:///run/x.sock`, `unix:/run/x.sock` or a plain absolute path, as kubelets take them.
 * Throws on anything else.
 */
export function socketPath(endpoint: string): string {
  const path = endpoint.startsWith('unix:') ? endpoint.slice('unix:'.length).replace(/^\/\/(?=\/)/, '') : endpoint
  if (!path.startsWith('/')) throw new Error(`"${endpoint}" is not the endpoint of a unix socket (expected unix:///path)`)
  return path
}
