export { byGroupVersion, openApiV3, openApiV3Path } from './document.ts'
