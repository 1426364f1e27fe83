import { describe, expect, it } from 'vitest'
import { podWith, podWithContainer, problems } from './test-support/objects.ts'

const label = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
const name = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"

const containers: [string, object, string[]][] = [
  ['no image', { image: '' }, ['spec.containers[0].image: Required value']],
  ['a bad name', { name: 'A' }, [`spec.containers[0].name: Invalid value: "A": ${label}`]],
  ['an unknown message policy', { terminationMessagePolicy: 'x' }, ['spec.containers[0].terminationMessagePolicy: Unsupported value: "x": supported values: "File", "FallbackToLogsOnError"']],
  ['a port out of range', { ports: [{ containerPort: 70000 }] }, ['spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive']],
  ['a port without a number', { ports: [{ name: 'a' }] }, ['spec.containers[0].ports[0].containerPort: Required value']],
  ['two ports of one name', { ports: [{ name: 'a', containerPort: 1 }, { name: 'a', containerPort: 2 }] }, ['spec.containers[0].ports[1].name: Duplicate value: "a"']],
  ['one host port twice', { ports: [{ containerPort: 1, hostPort: 9 }, { containerPort: 2, hostPort: 9 }] }, ['spec.containers[0].ports[1].hostPort: Duplicate value: "TCP//9"']],
  ['a variable named with =', { env: [{ name: 'a=b', value: 'x' }] }, ['spec.containers[0].env[0].name: Invalid value: "a=b": a valid environment variable name must consist only of printable ASCII characters other than \'=\'']],
  ['a variable without a source', { env: [{ name: 'a', valueFrom: {} }] }, ['spec.containers[0].env[0].valueFrom: Invalid value: "": must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`']],
  ['a variable of an annotation', { env: [{ name: 'a', valueFrom: { fieldRef: { fieldPath: "metadata.annotations['b']" } } }] }, []],
  ['a variable of all labels', { env: [{ name: 'a', valueFrom: { fieldRef: { fieldPath: 'metadata.labels' } } }] },
    ['spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Unsupported value: "metadata.labels": supported values: "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"']],
  ['a variable of an unknown resource', { env: [{ name: 'a', valueFrom: { resourceFieldRef: { resource: 'limits.x' } } }] },
    ['spec.containers[0].env[0].valueFrom.resourceFieldRef.resource: Unsupported value: "limits.x": supported values: "limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage", "requests.memory"']],
  ['a divisor that does not fit', { env: [{ name: 'a', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '1Mi' } } }] },
    ['spec.containers[0].env[0].valueFrom.resourceFieldRef.divisor: Invalid value: "limits.cpu": only divisor\'s values 1m and 1 are supported with the cpu resource']],
  ['a mount of nothing', { volumeMounts: [{ name: 'v', mountPath: '/a' }] }, ['spec.containers[0].volumeMounts[0].name: Not found: "v"']],
  ['an unknown resource', { resources: { limits: { gpu: '1' } } }, ['spec.containers[0].resources.limits[gpu]: Invalid value: "gpu": must be a standard resource type or fully qualified', 'spec.containers[0].resources.limits[gpu]: Invalid value: "gpu": must be a standard resource for containers', 'spec.containers[0].resources.requests[gpu]: Invalid value: "gpu": must be a standard resource type or fully qualified', 'spec.containers[0].resources.requests[gpu]: Invalid value: "gpu": must be a standard resource for containers']],
  ['a vendor\'s resource without a limit', { resources: { requests: { 'e.com/x': '1' } } }, ['spec.containers[0].resources.limits: Required value: Limit must be set for non overcommitable resources']],
  ['part of a huge page', { resources: { limits: { 'hugepages-2Mi': '3Mi', cpu: '1' } } }, ['spec.containers[0].resources.limits[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi', 'spec.containers[0].resources.requests[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi']],
  ['a claim of nothing', { resources: { claims: [{ name: 'a' }] } }, ['spec.containers[0].resources.claims[0]: Not found: "a": must be one of the names in pod.spec.resourceClaims which is empty']],
  ['a probe without a way', { livenessProbe: {} }, ['spec.containers[0].livenessProbe: Required value: must specify a handler type']],
  ['a probe of a bad scheme and header', { readinessProbe: { httpGet: { port: 'http', scheme: 'ftp', httpHeaders: [{ name: 'a b', value: '' }] } } },
    ['spec.containers[0].readinessProbe.httpGet.scheme: Unsupported value: "ftp": supported values: "HTTP", "HTTPS"', `spec.containers[0].readinessProbe.httpGet.httpHeaders: Invalid value: "a b": a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')`]],
  ['a readiness probe that kills', { readinessProbe: { exec: { command: ['x'] }, terminationGracePeriodSeconds: 5 } }, ['spec.containers[0].readinessProbe.terminationGracePeriodSeconds: Invalid value: 5: must not be set for readinessProbes']],
  ['a sleep longer than the grace', { lifecycle: { preStop: { sleep: { seconds: 31 } } } }, ['spec.containers[0].lifecycle.preStop.sleep: Invalid value: 31: must be non-negative and less than terminationGracePeriodSeconds (30)']],
  ['an escalation that contradicts itself', { securityContext: { allowPrivilegeEscalation: false, capabilities: { add: ['CAP_SYS_ADMIN'] } } },
    ['spec.containers[0].securityContext: Invalid value: {"Capabilities":{"Add":["CAP_SYS_ADMIN"],"Drop":null},"Privileged":null,"SELinuxOptions":null,"WindowsOptions":null,"RunAsUser":null,"RunAsGroup":null,"RunAsNonRoot":null,"ReadOnlyRootFilesystem":null,"AllowPrivilegeEscalation":false,"ProcMount":null,"SeccompProfile":null,"AppArmorProfile":null}: cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN']],
  ['an unmasked /proc with the host\'s users', { securityContext: { procMount: 'Unmasked' } }, ['spec.containers[0].securityContext.procMount: Invalid value: "Unmasked": `hostUsers` must be false to use `Unmasked`']],
  ['an AppArmor profile without a name', { securityContext: { appArmorProfile: { type: 'Localhost' } } }, ['spec.containers[0].securityContext.appArmorProfile.localhostProfile: Required value: must be set when AppArmor type is Localhost']],
  ['restart rules without a policy', { restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [1] } }] }, ['spec.containers[0].restartPolicy: Required value: must specify restartPolicy when restart rules are used']],
]

describe('a container with', () => {
  it.each(containers)('%s', (_, container, expected) => {
    expect(problems('v1/Pod', podWithContainer(container))).toEqual(expected)
  })
})

const volumes: [string, object, string[]][] = [
  ['no name', { emptyDir: {} }, ['spec.volumes[0].name: Required value']],
  ['a negative size', { name: 'v', emptyDir: { sizeLimit: '-1' } }, ['spec.volumes[0].emptyDir.sizeLimit: Forbidden: SizeLimit field must be a valid resource quantity']],
  ['a secret without a name', { name: 'v', secret: {} }, ['spec.volumes[0].secret.secretName: Required value']],
  ['a bad mode', { name: 'v', configMap: { name: 'a', defaultMode: 512 } }, ['spec.volumes[0].configMap.defaultMode: Invalid value: 512: must be a number between 0 and 0777 (octal), both inclusive']],
  ['a file outside', { name: 'v', configMap: { name: 'a', items: [{ key: 'k', path: '../k' }] } }, ["spec.volumes[0].configMap.items[0].path: Invalid value: \"../k\": must not contain '..'"]],
  ['a relative NFS path', { name: 'v', nfs: { server: 's', path: 'a' } }, ['spec.volumes[0].nfs.path: Invalid value: "a": must be an absolute path']],
  ['a short-lived token', { name: 'v', projected: { sources: [{ serviceAccountToken: { path: 't', expirationSeconds: 60 } }] } }, ['spec.volumes[0].projected.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 60: may not specify a duration less than 10 minutes']],
  ['two files of one path', { name: 'v', projected: { sources: [{ configMap: { name: 'a', items: [{ key: 'k', path: 'p' }] } }, { secret: { name: 'b', items: [{ key: 'k', path: 'p' }] } }] } }, ['spec.volumes[0].projected: Invalid value: "b": conflicting duplicate paths']],
  ['two projections in one', { name: 'v', projected: { sources: [{ configMap: { name: 'a' }, secret: { name: 'b' } }] } }, ['spec.volumes[0].projected.sources[0]: Forbidden: may not specify more than 1 volume type per source']],
  ['a CSI driver without a name', { name: 'v', csi: { driver: '' } }, ['spec.volumes[0].csi.driver: Required value', expect.stringContaining('spec.volumes[0].csi.driver: Invalid value: "": a lowercase RFC 1123 subdomain') as unknown as string]],
  ['a claim without a size', { name: 'v', ephemeral: { volumeClaimTemplate: { spec: { accessModes: ['ReadWriteOnce'] } } } }, ['spec.volumes[0].ephemeral.volumeClaimTemplate.spec.resources[storage]: Required value']],
  ['an iSCSI name that is none', { name: 'v', iscsi: { targetPortal: 'p', iqn: 'x', lun: 0 } }, ['spec.volumes[0].iscsi.iqn: Invalid value: "x": must be valid format starting with iqn, eui, or naa']],
]

describe('a volume with', () => {
  it.each(volumes)('%s', (_, volume, expected) => {
    expect(problems('v1/Pod', podWith({ volumes: [volume], serviceAccountName: 'a' }))).toEqual(expected)
  })

  it('a type that is twice there names the second', () => {
    expect(problems('v1/Pod', podWith({ volumes: [{ name: 'v', emptyDir: {}, secret: { secretName: 's' } }] }))).toEqual(['spec.volumes[0].secret: Forbidden: may not specify more than 1 volume type'])
  })

  it('mounts are checked against well-formed volumes only', () => {
    const pod = podWithContainer({ volumeMounts: [{ name: 'v', mountPath: '/a', subPath: '/b' }, { name: 'v', mountPath: '/a' }] }, { volumes: [{ name: 'v', emptyDir: {} }] })
    expect(problems('v1/Pod', pod)).toEqual(['spec.containers[0].volumeMounts.subPath: Invalid value: "/b": must be a relative path', 'spec.containers[0].volumeMounts[1].mountPath: Invalid value: "/a": must be unique'])
  })
})

const specs: [string, object, string[]][] = [
  ['no containers', { containers: [] }, ['spec.containers: Required value']],
  ['a container twice', { containers: [{ name: 'c', image: 'i' }, { name: 'c', image: 'i' }] }, ['spec.containers[1].name: Duplicate value: "c"']],
  ['an init container of the same name', { initContainers: [{ name: 'c', image: 'i' }] }, ['spec.initContainers[0].name: Duplicate value: "c"']],
  ['a sidecar with probes', { initContainers: [{ name: 's', image: 'i', restartPolicy: 'Always', readinessProbe: { tcpSocket: { port: 1 } } }] }, []],
  ['an unknown dns policy', { dnsPolicy: 'x' }, ['spec.dnsPolicy: Unsupported value: "x": supported values: "ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"']],
  ['four name servers', { dnsConfig: { nameservers: ['1.1.1.1', '1.1.1.2', '1.1.1.3', '1.1.1.x'] } }, ['spec.dnsConfig.nameservers: Invalid value: ["1.1.1.1","1.1.1.2","1.1.1.3","1.1.1.x"]: must not have more than 3 nameservers', 'spec.dnsConfig.nameservers[3]: Invalid value: "1.1.1.x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)']],
  ['a host alias with leading zeros', { hostAliases: [{ ip: '010.0.0.1' }] }, ['spec.hostAliases[0].ip: Invalid value: "010.0.0.1": must not have leading 0s']],
  ['a toleration of nothing', { tolerations: [{ operator: 'Equal' }] }, ['spec.tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which means "match all values and all keys"']],
  ['a toleration of an unknown effect', { tolerations: [{ key: 'a', operator: 'Exists', effect: 'x' }] }, ['spec.tolerations[0].effect: Unsupported value: "x": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"']],
  ['a node term that compares two values', { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'Gt', values: ['1', '2'] }] }] } } } },
    ['spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].values: Required value: must be specified single value when `operator` is \'Lt\' or \'Gt\'']],
  ['a node field that cannot be selected', { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields: [{ key: 'spec.x', operator: 'In', values: ['1'] }] }] } } } },
    ['spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchFields[0].key: Invalid value: "spec.x": not a valid field selector key']],
  ['a weight of 0', { affinity: { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 0, podAffinityTerm: { topologyKey: 'a' } }] } } }, ['spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid value: 0: must be in the range 1-100']],
  ['label keys without a selector', { topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'a', whenUnsatisfiable: 'ScheduleAnyway', matchLabelKeys: ['b'], minDomains: 2 }] },
    ['spec.topologySpreadConstraints[0].minDomains: Invalid value: 2: can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway', 'spec.topologySpreadConstraints[0].matchLabelKeys: Forbidden: must not be specified when labelSelector is not set']],
  ['a gate twice', { schedulingGates: [{ name: 'a' }, { name: 'a' }] }, ['spec.schedulingGates[1]: Duplicate value: "a"']],
  ['a bad readiness gate', { readinessGates: [{ conditionType: 'a b' }] }, [`spec.readinessGates[0].conditionType: Invalid value: "a b": ${name}`]],
  ['a deadline of 0', { activeDeadlineSeconds: 0 }, ['spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive']],
  ['user namespaces on the host\'s network', { hostUsers: false, hostNetwork: true }, ['spec.hostNetwork: Forbidden: when `pod.Spec.HostUsers` is false']],
  ['a sysctl of the host\'s network', { hostNetwork: true, securityContext: { sysctls: [{ name: 'net.core.somaxconn', value: '1' }] } }, ["spec.securityContext.sysctls[0].name: Invalid value: \"net.core.somaxconn\": may not be specified when 'hostNetwork' is true"]],
  ['an unknown system', { os: { name: 'plan9' } }, ['spec.os: Unsupported value: "plan9": supported values: "linux", "windows"']],
  ['a seccomp profile on windows', { os: { name: 'windows' }, securityContext: { seccompProfile: { type: 'RuntimeDefault' } } }, ['spec.securityContext.seccompProfile: Forbidden: cannot be set for a windows pod']],
  ['an overhead below zero', { overhead: { cpu: '-1' } }, ['spec.overhead.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0']],
  ['pod limits below a container\'s', { resources: { limits: { cpu: '1' } }, containers: [{ name: 'c', image: 'i', resources: { limits: { cpu: '2' } } }] },
    ['spec.resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1', 'spec.resources.containers[0][cpu].limits: Invalid value: "2": must be less than or equal to pod limits of 1']],
]

describe('a pod with', () => {
  it.each(specs)('%s', (_, spec, expected) => {
    expect(problems('v1/Pod', podWith(spec))).toEqual(expected)
  })

  it('a privileged container is the server\'s to allow', () => {
    const pod = podWithContainer({ securityContext: { privileged: true } })
    expect(problems('v1/Pod', pod)).toEqual(['spec.containers[0].securityContext.privileged: Forbidden: disallowed by cluster policy'])
    expect(problems('v1/Pod', pod, { allowPrivileged: true })).toEqual([])
  })

  it('metadata that no object may have', () => {
    const pod = podWith({}, { name: '', labels: { 'a/b/c': '' }, annotations: { 'A_b/c': '' }, finalizers: ['x'], ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'a' }] })
    expect(problems('v1/Pod', pod).map((line) => line.slice(0, 90))).toEqual([
      'metadata.name: Required value: name or generateName is required',
      'metadata.labels: Invalid value: "a/b/c": a valid label key must consist of alphanumeric characters',
      'metadata.annotations: Invalid value: "A_b/c": prefix part a lowercase RFC 1123 subdomain m',
      'metadata.ownerReferences.uid: Invalid value: "": must not be empty',
      'metadata.finalizers[0]: Invalid value: "x": name is neither a standard finalizer name nor i',
    ].map((line) => line.slice(0, 90)))
  })

  it('nothing but a kind is refused with reasons, not with a crash', () => {
    expect(problems('v1/Pod', { metadata: null, spec: null })).toEqual(['metadata.name: Required value: name or generateName is required', 'metadata.namespace: Required value', 'spec.containers: Required value'])
  })
})
