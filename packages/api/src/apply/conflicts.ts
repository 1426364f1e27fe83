import type { Manager } from './managers.ts'
import { type PathElement, printPath } from './path-element.ts'

/** A field that an applied configuration wants to change and that somebody else owns. */
export interface Conflict {
  readonly manager: Manager
  readonly path: readonly PathElement[]
}

/** The conflicts of an apply as the answer 409 lists them: Status.details.causes, and the message. */
export interface ApplyConflicts {
  readonly message: string
  readonly causes: ReadonlyArray<{ reason: 'FieldManagerConflict'; message: string; field: string }>
}

/** Words conflicts as upstream does. */
export function describeConflicts(conflicts: readonly Conflict[]): ApplyConflicts {
  const causes = conflicts.map(({ manager, path }) => ({ reason: 'FieldManagerConflict' as const, message: `conflict with ${printManager(manager)}`, field: printPath(path) }))
  const [only, ...more] = causes
  if (only && more.length === 0) return { message: `Apply failed with 1 conflict: ${only.message}: ${only.field}`, causes }
  const byManager = new Map<string, string[]>()
  for (const { manager, path } of conflicts) {
    const name = printManager(manager)
    byManager.set(name, [...(byManager.get(name) ?? []), `- ${printPath(path)}`])
  }
  const lines = [...byManager.keys()].sort().flatMap((name) => [`conflicts with ${name}:`, ...(byManager.get(name) ?? [])])
  return { message: `Apply failed with ${conflicts.length} conflicts: ${lines.join('\n')}`, causes }
}

function printManager(manager: Manager): string {
  const name = JSON.stringify(manager.name) + (manager.subresource === '' ? '' : ` with subresource ${JSON.stringify(manager.subresource)}`)
  if (manager.operation === 'Apply') return name
  return `${name} using ${manager.apiVersion}`
}
