export { command } from './command.ts'
export { defaultNetConf, type NetConf, parseNetConf, readNetConf } from './config.ts'
export { CniFailure, OverlayError, type OverlayErrorReason } from './errors.ts'
export { type OverlayOptions, startOverlay } from './overlay.ts'
