// What is run again in the second round of admission: a webhook or policy that asks for it, where the object changed after its turn.
import type { AdmissionAttributes, ApiObject } from '../../interfaces.ts'
import { cloneValue, equalValues } from '../../registry/values.ts'

/** What one plugin remembers of a request between the rounds. */
export class Reinvocation {
  readonly #attributes: AdmissionAttributes
  /** Those that ran since the object last changed. */
  readonly #ran = new Set<string>()
  readonly #due = new Set<string>()
  #left: ApiObject | undefined

  private constructor(attributes: AdmissionAttributes) {
    this.#attributes = attributes
  }

  /** Begins a plugin's turn. */
  static begin(plugin: string, attributes: AdmissionAttributes): Reinvocation {
    const memory = attributes.rounds?.memory
    const known = memory?.get(plugin)
    const state = known instanceof Reinvocation ? known : new Reinvocation(attributes)
    memory?.set(plugin, state)
    // What came between the turns changed it: everything that ran before that is due.
    if (attributes.rounds?.isSecond === true && !equalValues(state.#left, attributes.object)) state.#requireAll()
    return state
  }

  /** Ends the turn. */
  end(): void {
    const { object } = this.#attributes
    this.#left = object && cloneValue(object)
  }

  /** Whether one has its turn: in the first round each has, in the second those that are due. */
  isDue(key: string): boolean {
    return this.#attributes.rounds?.isSecond !== true || this.#due.has(key)
  }

  /** One ran that asks to be run again if needed. */
  mayRunAgain(key: string): void {
    this.#ran.add(key)
  }

  /** The object was changed. */
  changed(): void {
    this.#requireAll()
    this.#attributes.rounds?.again()
  }

  #requireAll(): void {
    for (const key of this.#ran) this.#due.add(key)
    this.#ran.clear()
  }
}
