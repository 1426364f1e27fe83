// Selectors of devices in classes and claims.
import { fieldErrors } from '@berth/api'
import type { FieldError } from '@berth/api'
import type { DeviceClass, DeviceSelector, ResourceClaim, ResourceClaimSpec, ResourceClaimTemplate } from '@berth/api/types/resource/v1'
import { compileDeviceSelector, deviceEnvironment, deviceSizes, selectorCostLimit } from '@berth/cel'

/** What is on by default in 1.36. */
const features = { consumableCapacity: true }
const environment = deviceEnvironment(features)

function checkSelectors(selectors: readonly DeviceSelector[] | undefined, at: string): FieldError[] {
  return (selectors ?? []).flatMap(({ cel }, i) => {
    if (!cel) return []
    const { selector, error } = compileDeviceSelector(cel.expression, environment, features, { sizes: deviceSizes })
    if (error !== undefined) return [fieldErrors.invalid(`${at}[${i}].cel.expression`, cel.expression, error)]
    return (selector.program.maxCost ?? 0n) > selectorCostLimit ? [fieldErrors.forbidden(`${at}[${i}].cel.expression`, 'too complex, exceeds cost limit')] : []
  })
}

const checkClaim = (spec: ResourceClaimSpec | undefined, at: string): FieldError[] => (spec?.devices?.requests ?? []).flatMap(({ exactly, firstAvailable }, i) => [
  ...checkSelectors(exactly?.selectors, `${at}.devices.requests[${i}].exactly.selectors`),
  ...(firstAvailable ?? []).flatMap(({ selectors }, j) => checkSelectors(selectors, `${at}.devices.requests[${i}].firstAvailable[${j}].selectors`)),
])

export const deviceClassErrors = ({ spec }: DeviceClass): FieldError[] => checkSelectors(spec.selectors, 'spec.selectors')
export const resourceClaimErrors = ({ spec }: ResourceClaim): FieldError[] => checkClaim(spec, 'spec')
export const resourceClaimTemplateErrors = ({ spec }: ResourceClaimTemplate): FieldError[] => checkClaim(spec.spec, 'spec.spec')
