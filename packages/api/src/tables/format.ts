import type { PodTemplateSpec } from '../types/core/v1.ts'

/** Labels as `a=b,c=d`, sorted, or `<none>`. */
export function formatLabels(labels: Readonly<Record<string, string>> | undefined | null): string {
  const parts = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`).sort()
  return parts.length === 0 ? '<none>' : parts.join(',')
}

/** Names and images of a template's containers. */
export function containerCells(template: PodTemplateSpec | undefined): [names: string, images: string] {
  const containers = template?.spec?.containers ?? []
  return [containers.map(({ name }) => name).join(','), containers.map(({ image = '' }) => image).join(',')]
}

/** The first three of a list, and how many more there are. */
export function firstThree(items: readonly string[], none: string): string {
  const shown = items.slice(0, 3).join(',')
  if (items.length > 3) return `${shown} + ${items.length - 3} more...`
  return shown === '' ? none : shown
}
