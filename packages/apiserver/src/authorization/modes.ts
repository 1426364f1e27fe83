import type { AuthorizationAttributes, AuthorizationDecision, Authorizer } from '../interfaces.ts'

/** AlwaysAllow. */
export const alwaysAllow: Authorizer = { authorize: () => ({ decision: 'allow', reason: '' }) }

/** AlwaysDeny: has no opinion, so that nobody allows. The words are upstream's. */
export const alwaysDeny: Authorizer = { authorize: () => ({ decision: 'noOpinion', reason: 'Everything is forbidden.' }) }

/** Members of system:masters may do everything, whatever the other authorizers say. */
export const privilegedGroups: Authorizer = {
  authorize: (asked) => (asked.user.groups.includes('system:masters') ? { decision: 'allow', reason: '' } : { decision: 'noOpinion', reason: '' }),
}

/** Asks authorizers in order; the first that allows or denies decides. Reasons of those without an opinion are joined. */
export class UnionAuthorizer implements Authorizer {
  readonly #authorizers: readonly Authorizer[]

  constructor(authorizers: readonly Authorizer[]) {
    this.#authorizers = authorizers
  }

  async authorize(asked: AuthorizationAttributes): Promise<AuthorizationDecision> {
    const reasons: string[] = []
    for (const authorizer of this.#authorizers) {
      const answer = await authorizer.authorize(asked)
      if (answer.decision !== 'noOpinion') return answer
      if (answer.reason !== '') reasons.push(answer.reason)
    }
    return { decision: 'noOpinion', reason: reasons.join('\n') }
  }
}
