// metrics-server as its own manifests install it, in a cluster without a registry: the image is made of the program that lies on this machine.
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { imageOf, writeArchive } from '../../hack/images/image.ts'
import { layerOf } from '../../hack/images/layer.ts'
import { run } from './kubectl.ts'

export const metricsServerImage = 'berth.local/metrics-server:test'

/** The libraries that a program is linked against, its loader among them; none for a static one. */
async function librariesOf(program: string): Promise<string[]> {
  const { stdout, code } = await run(['ldd', program])
  return code === 0 ? [...stdout.matchAll(/^\s*(?:\S+ => )?(\/\S+) \(0x/gm)].map((match) => match[1] ?? '') : []
}

/** Writes an archive of an image that holds a program, what it is linked against, and nothing else. */
export async function programImage(program: string, reference: string, file: string): Promise<void> {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'berth-image-'))
  try {
    fs.copyFileSync(program, path.join(root, 'program'))
    fs.chmodSync(path.join(root, 'program'), 0o755)
    for (const library of await librariesOf(program)) {
      fs.mkdirSync(path.join(root, path.dirname(library)), { recursive: true })
      fs.copyFileSync(library, path.join(root, library))
      fs.chmodSync(path.join(root, library), 0o755)
    }
    fs.mkdirSync(path.join(root, 'tmp'))
    fs.chmodSync(path.join(root, 'tmp'), 0o1777)
    const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64'
    const image = imageOf([await layerOf(root)], { User: '65534', Entrypoint: ['/program'], Env: [], WorkingDir: '/', Labels: {} }, architecture)
    await writeArchive(image, reference, file)
  } finally {
    fs.rmSync(root, { recursive: true, force: true })
  }
}

/** Everything that an installation of metrics-server is made of; kubelets here sign their own certificates. */
export const metricsServerManifest = `
apiVersion: v1
kind: ServiceAccount
metadata: { name: metrics-server, namespace: kube-system }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: system:metrics-server }
rules:
  - { apiGroups: [""], resources: [nodes/metrics], verbs: [get] }
  - { apiGroups: [""], resources: [pods, nodes], verbs: [get, list, watch] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: system:metrics-server }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: system:metrics-server }
subjects: [{ kind: ServiceAccount, name: metrics-server, namespace: kube-system }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: "metrics-server:system:auth-delegator" }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: system:auth-delegator }
subjects: [{ kind: ServiceAccount, name: metrics-server, namespace: kube-system }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: metrics-server-auth-reader, namespace: kube-system }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: extension-apiserver-authentication-reader }
subjects: [{ kind: ServiceAccount, name: metrics-server, namespace: kube-system }]
---
apiVersion: v1
kind: Service
metadata: { name: metrics-server, namespace: kube-system }
spec:
  selector: { k8s-app: metrics-server }
  ports: [{ name: https, port: 443, targetPort: https }]
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: metrics-server, namespace: kube-system }
spec:
  selector: { matchLabels: { k8s-app: metrics-server } }
  template:
    metadata: { labels: { k8s-app: metrics-server } }
    spec:
      serviceAccountName: metrics-server
      priorityClassName: system-cluster-critical
      containers:
        - name: metrics-server
          image: ${metricsServerImage}
          imagePullPolicy: IfNotPresent
          args: [--cert-dir=/tmp, --secure-port=10250, "--kubelet-preferred-address-types=InternalIP,ExternalIP,Hostname", --kubelet-use-node-status-port, --kubelet-insecure-tls, --metric-resolution=15s]
          ports: [{ name: https, containerPort: 10250 }]
          livenessProbe: { httpGet: { path: /livez, port: https, scheme: HTTPS }, periodSeconds: 10 }
          readinessProbe: { httpGet: { path: /readyz, port: https, scheme: HTTPS }, initialDelaySeconds: 5, periodSeconds: 5 }
          resources: { requests: { cpu: 100m, memory: 200Mi } }
          securityContext: { readOnlyRootFilesystem: true, runAsNonRoot: true, runAsUser: 1000, allowPrivilegeEscalation: false, capabilities: { drop: [ALL] } }
          volumeMounts: [{ name: tmp, mountPath: /tmp }]
      volumes: [{ name: tmp, emptyDir: {} }]
---
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: { name: v1beta1.metrics.k8s.io }
spec:
  group: metrics.k8s.io
  version: v1beta1
  groupPriorityMinimum: 100
  versionPriority: 100
  insecureSkipTLSVerify: true
  service: { name: metrics-server, namespace: kube-system }
`
