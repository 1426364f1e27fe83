import type { Endpoint } from '@berth/kube'
import { ExplainError } from '../errors.ts'
import type { Answer } from './answers.ts'
import { asks, readQuestion, type Question } from './question.ts'

/** Where a scheduler answers questions, below its address. */
export const explainPath = '/explain'

const codes = { NotFound: 404, Invalid: 400 } as const

/** `POST /explain/why`, `/explain/why-not`, `/explain/what-if`: a question's JSON in, the answer's out; failures as metav1.Status. */
export function explainEndpoints(ask: (question: Question) => Promise<Answer>): Record<string, Endpoint> {
  return Object.fromEntries(asks.map((kind) => [`${explainPath}/${kind}`, endpointOf(kind, ask)]))
}

function endpointOf(kind: Question['ask'], ask: (question: Question) => Promise<Answer>): Endpoint {
  return async ({ method, body }) => {
    if (method !== 'POST') return status(405, 'MethodNotAllowed', `${explainPath}/${kind} takes POST`)
    try {
      return { status: 200, contentType: 'application/json', body: JSON.stringify(await ask(readQuestion(kind, parse(body)))) }
    } catch (error) {
      if (error instanceof ExplainError) return status(codes[error.code], error.code === 'Invalid' ? 'BadRequest' : 'NotFound', error.message)
      throw error
    }
  }
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch (error) {
    throw new ExplainError('Invalid', `the body is not JSON: ${(error as Error).message}`, { cause: error })
  }
}

function status(code: number, reason: string, message: string): { status: number; contentType: string; body: string } {
  return { status: code, contentType: 'application/json', body: JSON.stringify({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code }) }
}
