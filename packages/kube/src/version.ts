/** The version of Kubernetes that Berth speaks and reports. */
export const kubernetesVersion = 'v1.36.3'
