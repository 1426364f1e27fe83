export { nativeBinary, runNative, type RunOptions, type RunResult } from './binary.ts'
export { NativeError } from './errors.ts'
export { type BindOptions, type MountFlags, mountBind, mountTmpfs, remount, type TmpfsOptions, unmount } from './mount.ts'
export { dialInNamespace } from './dial.ts'
export { type NetAnswer, parseNetAnswer, runNetActions } from './net.ts'
export {
  formatProcessTable, type ProcessDefinition, type ProcessStatus, startSupervisor, supervisorCommand, type SupervisorPaths, supervisorStatus, writeProcessTable,
} from './supervise.ts'
