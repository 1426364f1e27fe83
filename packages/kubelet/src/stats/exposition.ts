// Prometheus' text format, for metrics that are made anew with every scrape.

export interface Sample { readonly labels: Readonly<Record<string, string>>, readonly value: number, readonly timeMs?: number }

export interface Metric { readonly name: string, readonly type: 'counter' | 'gauge', readonly help: string, readonly samples: readonly Sample[] }

export const expositionType = 'text/plain; version=0.0.4; charset=utf-8'

const escape = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')

/** Metrics by name; those without samples are left out. */
export function exposition(metrics: readonly Metric[]): string {
  return metrics.filter(({ samples }) => samples.length > 0).toSorted((a, b) => (a.name < b.name ? -1 : 1)).map(({ name, type, help, samples }) => {
    const lines = samples.map(({ labels, value, timeMs }) => {
      const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escape(text)}"`)
      return `${name}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${value}${timeMs === undefined ? '' : ` ${timeMs}`}\n`
    })
    return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`
  }).join('')
}
