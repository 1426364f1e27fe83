import type { DeviceClaim, DeviceToleration, ExactDeviceRequest, ResourceClaim, ResourceClaimTemplate } from '../types/resource/v1.ts'

export function defaultResourceClaim(claim: ResourceClaim): void {
  defaultDeviceClaim(claim.spec?.devices)
  for (const result of claim.status?.allocation?.devices?.results ?? []) defaultTolerations(result.tolerations)
}

export function defaultResourceClaimTemplate(template: ResourceClaimTemplate): void {
  defaultDeviceClaim(template.spec?.spec?.devices)
}

function defaultDeviceClaim(claim: DeviceClaim | undefined): void {
  for (const request of claim?.requests ?? []) {
    for (const one of [...(request.exactly ? [request.exactly] : []), ...(request.firstAvailable ?? [])]) defaultDeviceRequest(one)
  }
}

function defaultDeviceRequest(request: Pick<ExactDeviceRequest, 'allocationMode' | 'count' | 'tolerations'>): void {
  request.allocationMode ||= 'ExactCount'
  if (request.allocationMode === 'ExactCount') request.count ||= 1
  defaultTolerations(request.tolerations)
}

function defaultTolerations(tolerations: DeviceToleration[] | undefined): void {
  for (const toleration of tolerations ?? []) toleration.operator ||= 'Equal'
}
