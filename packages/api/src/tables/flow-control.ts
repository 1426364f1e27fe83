import type { FlowSchema, PriorityLevelConfiguration } from '../types/flowcontrol/v1.ts'
import { ageColumn, nameColumn } from './column.ts'
import type { KindTable } from './column.ts'
import { ageOf } from './duration.ts'

const none = '<none>'

export const flowSchemaTable: KindTable<FlowSchema> = {
  columns: [
    nameColumn,
    { name: 'PriorityLevel', description: ['flowcontrol/v1', 'PriorityLevelConfigurationReference', 'name'] },
    { name: 'MatchingPrecedence', description: ['flowcontrol/v1', 'FlowSchemaSpec', 'matchingPrecedence'] },
    // A field whose type is a struct has no documentation of its own in what descriptions are read from.
    {
      name: 'DistinguisherMethod',
      description: '`distinguisherMethod` defines how to compute the flow distinguisher for requests that match this schema. `nil` specifies that the distinguisher is disabled and thus will '
        + 'always be the empty string.',
    },
    ageColumn,
    { name: 'MissingPL', description: 'references a broken or non-existent PriorityLevelConfiguration' },
  ],
  cells: (schema, now) => [
    schema.metadata.name, schema.spec?.priorityLevelConfiguration?.name ?? '', schema.spec?.matchingPrecedence ?? 0, schema.spec?.distinguisherMethod?.type ?? none, ageOf(schema, now),
    schema.status?.conditions?.find(({ type }) => type === 'Dangling')?.status ?? '?',
  ],
}

export const priorityLevelTable: KindTable<PriorityLevelConfiguration> = {
  columns: [
    nameColumn,
    { name: 'Type', description: ['flowcontrol/v1', 'PriorityLevelConfigurationSpec', 'type'] },
    { name: 'NominalConcurrencyShares', description: ['flowcontrol/v1', 'LimitedPriorityLevelConfiguration', 'nominalConcurrencyShares'] },
    { name: 'Queues', description: ['flowcontrol/v1', 'QueuingConfiguration', 'queues'] },
    { name: 'HandSize', description: ['flowcontrol/v1', 'QueuingConfiguration', 'handSize'] },
    { name: 'QueueLengthLimit', description: ['flowcontrol/v1', 'QueuingConfiguration', 'queueLengthLimit'] },
    ageColumn,
  ],
  cells(level, now) {
    const { limited } = level.spec ?? {}
    const queuing = limited?.limitResponse?.queuing
    return [
      level.metadata.name, level.spec?.type ?? '', limited ? limited.nominalConcurrencyShares ?? 0 : none,
      ...(queuing ? [queuing.queues ?? 0, queuing.handSize ?? 0, queuing.queueLengthLimit ?? 0] : [none, none, none]), ageOf(level, now),
    ]
  },
}
