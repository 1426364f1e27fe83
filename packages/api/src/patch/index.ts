export { PatchError, PatchTestError } from './errors.ts'
export { jsonPatch } from './json-patch.ts'
export { jsonMergePatch } from './merge-patch.ts'
export { strategicMergePatch } from './strategic-merge-patch.ts'
