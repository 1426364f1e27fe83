import type { ScoredNode } from '../answers.ts'
import { table } from './table.ts'

/** Nodes and what each plugin gave them, the plugin that tells them apart the most first; `mark` gets an asterisk. Plugins that give nothing to any node are left out. */
export function scoreTable(nodes: readonly ScoredNode[], mark?: string): string {
  const plugins = [...new Set(nodes.flatMap(({ byPlugin }) => Object.keys(byPlugin)))]
  const spread = (plugin: string): number => {
    const values = nodes.map(({ byPlugin }) => byPlugin[plugin] ?? 0)
    return Math.max(...values) - Math.min(...values)
  }
  const shown = plugins.filter((plugin) => nodes.some(({ byPlugin }) => (byPlugin[plugin] ?? 0) !== 0)).sort((a, b) => spread(b) - spread(a) || a.localeCompare(b))
  return table(['NODE', 'TOTAL', ...shown], nodes.map(({ node, total, byPlugin }) => [`${node}${node === mark ? '*' : ''}`, String(total), ...shown.map((plugin) => String(byPlugin[plugin] ?? 0))]))
}
