/** Stands among the plugins that rejected a pod (upstream: framework.ExtenderName). Extenders name no events: any may help. */
export const extenderName = 'Extender'
