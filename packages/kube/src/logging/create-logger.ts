import type { LogFields, Logger, LoggerOptions, VerboseLogger } from './logger.ts'

type Severity = 'I' | 'W' | 'E'

const silent: VerboseLogger = { enabled: false, info() {} }

/** Makes a {@link Logger} that writes klog's lines: `I0102 15:04:05.000000   PID NAME] "Message" key="value"`. */
export function createLogger(options: LoggerOptions): Logger {
  const { name, verbosity = 0, format = 'text', write = (line: string) => { process.stderr.write(line) }, now = Date.now } = options
  const line = format === 'json' ? jsonLine : textLine

  const emit = (severity: Severity, level: number, message: string, fields: LogFields): void => {
    try {
      write(line({ severity, level, name, message, fields, time: now() }))
    } catch {
      // A log that cannot be written must not stop what is being logged.
    }
  }

  const make = (always: LogFields): Logger => {
    const merged = (fields?: LogFields): LogFields => fields === undefined ? always : { ...always, ...fields }
    return {
      verbosity,
      info: (message, fields) => emit('I', 0, message, merged(fields)),
      warn: (message, fields) => emit('W', 0, message, merged(fields)),
      error: (error, message, fields) => emit('E', 0, message, { ...always, err: errorText(error), ...fields }),
      v: (level) => level > verbosity ? silent : { enabled: true, info: (message, fields) => emit('I', level, message, merged(fields)) },
      with: (fields) => make({ ...always, ...fields }),
    }
  }
  return make({})
}

/** A logger that writes nothing: the default of libraries that are given none. */
export function silentLogger(): Logger {
  const logger: Logger = { verbosity: 0, info() {}, warn() {}, error() {}, v: () => silent, with: () => logger }
  return logger
}

/** An error's message with those of its causes, `outer: inner`, leaving out what the outer one already says. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return typeof error === 'string' ? error : JSON.stringify(error) ?? String(error)
  const parts = [error.message === '' ? error.name : error.message]
  let cause = error.cause
  for (let depth = 0; cause !== undefined && depth < 8; depth += 1) {
    const text = cause instanceof Error ? (cause.message || String((cause as NodeJS.ErrnoException).code ?? cause.name)) : String(cause)
    if (text !== '' && !parts.some((p) => p.includes(text))) parts.push(text)
    if (cause instanceof AggregateError) parts.push(cause.errors.map(errorText).join(', '))
    cause = cause instanceof Error ? cause.cause : undefined
  }
  return parts.join(': ')
}

interface Entry {
  severity: Severity
  level: number
  name: string
  message: string
  fields: LogFields
  time: number
}

function textLine({ severity, name, message, fields, time }: Entry): string {
  const date = new Date(time)
  const two = (n: number): string => String(n).padStart(2, '0')
  const stamp = `${two(date.getMonth() + 1)}${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, '0')}000`
  const pairs = Object.entries(fields).map(([key, value]) => ` ${key}=${textValue(value)}`).join('')
  return `${severity}${stamp} ${String(process.pid).padStart(7)} ${name}] ${JSON.stringify(message)}${pairs}\n`
}

/** As klog: numbers and booleans bare, objects with metadata as `"namespace/name"`, all else quoted. */
function textValue(value: unknown): string {
  if (value === undefined || value === null) return '<nil>'
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  if (typeof value === 'string') return JSON.stringify(value)
  if (value instanceof Error) return JSON.stringify(errorText(value))
  return objectName(value) ?? stringify(value)
}

function objectName(value: unknown): string | undefined {
  const metadata = (value as { metadata?: { name?: unknown; namespace?: unknown } }).metadata
  if (metadata === undefined || metadata === null || typeof metadata.name !== 'string') return undefined
  return JSON.stringify(typeof metadata.namespace === 'string' ? `${metadata.namespace}/${metadata.name}` : metadata.name)
}

function stringify(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => typeof inner === 'bigint' ? String(inner) : inner) ?? String(value)
}

function jsonLine({ severity, level, message, fields, time }: Entry): string {
  const head = severity === 'I' ? { ts: time, msg: message, v: level } : { ts: time, msg: message, ...(severity === 'W' ? { v: 0, level: 'warning' } : {}) }
  const plain = Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, value instanceof Error ? errorText(value) : value]))
  return `${stringify({ ...head, ...plain })}\n`
}
