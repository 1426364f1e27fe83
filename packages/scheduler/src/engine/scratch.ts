/** Arrays for use within one decision: made once, as long as they have to be. */
export class Scratch {
  readonly #ints: Int32Array[] = []
  readonly #floats: Float64Array[] = []

  /** The `i`th array of integers, at least `size` long, its first `size` set to `value`. */
  ints(i: number, size: number, value: number): Int32Array {
    let array = this.#ints[i]
    if (!array || array.length < size) this.#ints[i] = array = new Int32Array(size + (size >> 1) + 16)
    return array.fill(value, 0, size)
  }

  /** The `i`th array of numbers likewise. */
  floats(i: number, size: number, value: number): Float64Array {
    let array = this.#floats[i]
    if (!array || array.length < size) this.#floats[i] = array = new Float64Array(size + (size >> 1) + 16)
    return array.fill(value, 0, size)
  }
}
