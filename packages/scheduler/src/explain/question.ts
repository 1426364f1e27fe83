import { decode, DecodeError, schemaOf } from '@berth/api'
import { checkShape } from '@berth/kube'
import { ExplainError } from '../errors.ts'
import type { Answer } from './answers.ts'
import type { Explainer } from './explainer.ts'
import type { WhatIfRequest } from './what-if.ts'

/** A question as it crosses the wire. */
export type Question =
  | { readonly ask: 'why'; readonly pod: string }
  | { readonly ask: 'why-not'; readonly pod: string; readonly node: string }
  | { readonly ask: 'what-if'; readonly request: WhatIfRequest }

const text = { type: 'string' } as const
const texts = { type: 'list', items: text } as const
const raws = { type: 'list', items: { type: 'raw' } } as const
const shapes = {
  why: { type: 'object', fields: { pod: text }, required: ['pod'] },
  'why-not': { type: 'object', fields: { pod: text, node: text }, required: ['pod', 'node'] },
  'what-if': {
    type: 'object',
    fields: {
      pods: raws, services: raws, owners: { type: 'list', items: { type: 'object', fields: { kind: text, key: text, selector: { type: 'raw' } }, required: ['kind', 'key', 'selector'] } },
      addNodes: { type: 'list', items: { type: 'object', fields: { count: { type: 'integer', minimum: 1, maximum: 1000 }, like: text }, required: ['count', 'like'] } },
      drain: texts, cordon: texts, uncordon: texts, removePods: texts,
    },
  },
} as const

export const asks: readonly Question['ask'][] = ['why', 'why-not', 'what-if']

/** Hypothetical pods beyond this many are refused: the answer would take too long. */
const podsAtMost = 5000

function strict(kind: 'Pod' | 'Service', value: unknown, path: string): unknown {
  const schema = schemaOf({ group: '', version: 'v1', kind })
  if (!schema) throw new ExplainError('Invalid', `${path}: ${kind} is not known`)
  try {
    return decode(schema, value, 'strict').object
  } catch (error) {
    if (error instanceof DecodeError) throw new ExplainError('Invalid', `${path}: ${error.message}`, { cause: error })
    throw error
  }
}

/** Reads a question's JSON body strictly. Throws ExplainError that names the path. */
export function readQuestion(ask: Question['ask'], body: unknown): Question {
  const [problem] = checkShape(shapes[ask], body ?? {})
  if (problem !== undefined) throw new ExplainError('Invalid', problem)
  if (body === null || body === undefined) throw new ExplainError('Invalid', 'the question is empty')
  if (ask !== 'what-if') return { ask, ...(body as { pod: string; node: string }) }
  const request = body as WhatIfRequest & { pods?: unknown[]; services?: unknown[] }
  if ((request.pods ?? []).length > podsAtMost) throw new ExplainError('Invalid', `pods: at most ${podsAtMost} can be asked about at once`)
  const pods = (request.pods ?? []).map((pod, i) => strict('Pod', pod, `pods[${i}]`))
  const services = (request.services ?? []).map((service, i) => strict('Service', service, `services[${i}]`))
  return { ask, request: { ...request, pods, services } as WhatIfRequest }
}

/** Asks an explainer. Throws ExplainError. */
export function answerOf(explainer: Explainer, question: Question): Answer {
  switch (question.ask) {
    case 'why': return explainer.why(question.pod)
    case 'why-not': return explainer.whyNot(question.pod, question.node)
    case 'what-if': return explainer.whatIf(question.request)
  }
}
