import type { Secret } from '../types/core/v1.ts'

/** A secret is Opaque unless it says otherwise; plain text that was given for convenience becomes data. */
export function defaultSecret(secret: Secret): void {
  secret.type ||= 'Opaque'
  if (!secret.stringData) return
  const data = { ...secret.data }
  for (const [key, text] of Object.entries(secret.stringData)) data[key] = Buffer.from(text).toString('base64')
  secret.data = data
  delete secret.stringData
}
