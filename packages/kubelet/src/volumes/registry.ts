import { configMapVolume } from './config-map.ts'
import { downwardApiVolume } from './downward-api.ts'
import { emptyDirVolume } from './empty-dir.ts'
import { hostPathVolume } from './host-path.ts'
import { claimVolume, ephemeralVolume } from './persistent-volume.ts'
import type { VolumePlugin } from './plugin.ts'
import { projectedVolume } from './projected.ts'
import { secretVolume } from './secret.ts'

/** The volume types that this kubelet serves: a file and a line each. */
export const volumePlugins: readonly VolumePlugin[] = [
  configMapVolume,
  downwardApiVolume,
  emptyDirVolume,
  hostPathVolume,
  claimVolume,
  ephemeralVolume,
  projectedVolume,
  secretVolume,
]
