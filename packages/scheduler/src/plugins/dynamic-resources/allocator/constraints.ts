import type { Device, DeviceAttribute, DeviceConstraint } from '@berth/api/types/resource/v1'
import { AllocationError } from './types.ts'

/**
 * What the devices of a claim have to have in common. Once a device is refused, adding more cannot make it fit; each `add` that
 * succeeded is taken back by one `remove`, in the opposite order.
 */
export interface Constraint {
  add(request: string, alternative: string | undefined, device: Device, driver: string): boolean
  remove(request: string, alternative: string | undefined): void
}

/** Reads a claim's constraint. Throws for one of a kind that is not known. */
export function constraintOf(constraint: DeviceConstraint, claim: string, index: number): Constraint {
  if (constraint.matchAttribute !== undefined) return new AttributeConstraint(constraint.matchAttribute, constraint.requests ?? [], (value, others) => others.every((other) => other === value))
  if (constraint.distinctAttribute !== undefined) return new AttributeConstraint(constraint.distinctAttribute, constraint.requests ?? [], (value, others) => !others.includes(value))
  throw new AllocationError(`claim ${claim}, constraint #${index}: empty constraint (unsupported constraint type?)`)
}

class AttributeConstraint implements Constraint {
  readonly #attribute: string
  readonly #requests: ReadonlySet<string>
  readonly #fits: (value: string, others: readonly string[]) => boolean
  /** The values of the devices so far, the last one last. */
  readonly #values: string[] = []

  constructor(attribute: string, requests: readonly string[], fits: (value: string, others: readonly string[]) => boolean) {
    this.#attribute = attribute
    this.#requests = new Set(requests)
    this.#fits = fits
  }

  #concerns(request: string, alternative: string | undefined): boolean {
    return this.#requests.size === 0 || this.#requests.has(request) || alternative !== undefined && this.#requests.has(`${request}/${alternative}`)
  }

  add(request: string, alternative: string | undefined, device: Device, driver: string): boolean {
    if (!this.#concerns(request, alternative)) return true
    const value = valueOf(attributeOf(device, driver, this.#attribute))
    if (value === undefined || !this.#fits(value, this.#values)) return false
    this.#values.push(value)
    return true
  }

  remove(request: string, alternative: string | undefined): void {
    if (this.#concerns(request, alternative)) this.#values.pop()
  }
}

/** A device's attribute by its full name; the driver's own ones may be published without their domain. */
function attributeOf(device: Device, driver: string, fullName: string): DeviceAttribute | undefined {
  const { attributes = {} } = device
  if (Object.hasOwn(attributes, fullName)) return attributes[fullName]
  const slash = fullName.indexOf('/')
  const id = fullName.slice(slash + 1)
  return slash >= 0 && fullName.slice(0, slash) === driver && Object.hasOwn(attributes, id) ? attributes[id] : undefined
}

// Values of different types differ.
function valueOf(attribute: DeviceAttribute | undefined): string | undefined {
  if (attribute?.string !== undefined) return `s${attribute.string}`
  if (attribute?.int !== undefined) return `i${attribute.int}`
  if (attribute?.bool !== undefined) return `b${attribute.bool}`
  return attribute?.version === undefined ? undefined : `v${attribute.version}`
}
