export { openApiV3, openApiV3Path } from './document.ts'
