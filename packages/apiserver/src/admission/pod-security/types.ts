export type { Container, EphemeralContainer, PodSpec, SeccompProfile, Volume } from '@berth/api/types/core/v1'
export type { ObjectMeta } from '@berth/api/types/meta/v1'
