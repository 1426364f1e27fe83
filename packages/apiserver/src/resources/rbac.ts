import { rbac } from '@berth/api'
import type { ResourceDefinition } from '../registry/definition.ts'

export const roles: ResourceDefinition = { resource: rbac.roles, storagePrefix: 'roles', allowCreateOnUpdate: true }
export const rolebindings: ResourceDefinition = { resource: rbac.rolebindings, storagePrefix: 'rolebindings', allowCreateOnUpdate: true }
export const clusterroles: ResourceDefinition = { resource: rbac.clusterroles, storagePrefix: 'clusterroles', allowCreateOnUpdate: true }
export const clusterrolebindings: ResourceDefinition = { resource: rbac.clusterrolebindings, storagePrefix: 'clusterrolebindings', allowCreateOnUpdate: true }
