import type { Answer } from '../answers.ts'
import { whatIfText } from './what-if.ts'
import { whyNotText } from './why-not.ts'
import { whyText } from './why.ts'

/** Any answer for people, in lines. */
export function answerText(answer: Answer): string {
  switch (answer.kind) {
    case 'Why': return whyText(answer)
    case 'WhyNot': return whyNotText(answer)
    case 'WhatIf': return whatIfText(answer)
  }
}
