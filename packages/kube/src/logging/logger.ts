/** Values that go with a message, printed as `key="value"`. */
export type LogFields = Readonly<Record<string, unknown>>

/** A logger whose lines are shown at one verbosity only (`-v`). */
export interface VerboseLogger {
  /** Whether lines of this level are written; ask before you compute something dear for a line. */
  readonly enabled: boolean
  info(message: string, fields?: LogFields): void
}

/** Structured logging with klog's severities and `-v` levels. Writing a line never throws. */
export interface Logger {
  readonly verbosity: number
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  /** An error and what was being done. The error's causes are written with it. */
  error(error: unknown, message: string, fields?: LogFields): void
  /** Lines shown when the process runs with `-v` of at least `level`. */
  v(level: number): VerboseLogger
  /** The same logger, with these fields on every line. */
  with(fields: LogFields): Logger
}

/** How a logger writes. */
export interface LoggerOptions {
  /** The component, in front of the message; empty for none. */
  name: string
  /** klog's `-v`; 0 when absent. */
  verbosity?: number
  /** `text` is klog's header and `key="value"` pairs; `json` is one object a line as component-base writes it. */
  format?: 'text' | 'json'
  /** Receives whole lines with their newline; standard error when absent. */
  write?: (line: string) => void
  /** Milliseconds since the epoch; the system's clock when absent. */
  now?: () => number
}
