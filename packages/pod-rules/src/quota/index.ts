export { addQuantities, podQuantities, quantitiesOf, subtractQuantities, textsOf, type Quantities } from './amounts.ts'
export { judgeQuota, type QuotaVerdict } from './demand.ts'
export { quotaMatches } from './scopes.ts'
export { quotaUsage, type QuotaResource } from './usage.ts'
