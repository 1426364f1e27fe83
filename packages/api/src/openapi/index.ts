export type { DescribedResource } from './custom.ts'
export { openApiV3, openApiV3Path } from './document.ts'
export { openApiV2 } from './v2.ts'
