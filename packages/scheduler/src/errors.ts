/** The configuration is wrong, or asks for what is not served; the message begins with the path. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}
