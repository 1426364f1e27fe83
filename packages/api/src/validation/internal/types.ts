import { storageTypes } from './storage-types.ts'
import { workloadTypes } from './workload-types.ts'

// Fields as forms.ts reads them: Go name, JSON name where it is not the Go name with its first letter lowered, kind. The order is that of the Go type.

const volumeSources = `HostPath:*HostPathVolumeSource EmptyDir:*EmptyDirVolumeSource GCEPersistentDisk=gcePersistentDisk:*GCEPersistentDisk AWSElasticBlockStore=awsElasticBlockStore:*AWSElasticBlockStore
  GitRepo:*GitRepo Secret:*SecretVolumeSource NFS=nfs:*NFS ISCSI=iscsi:*any Glusterfs:*any PersistentVolumeClaim:*PersistentVolumeClaimVolumeSource RBD=rbd:*any Quobyte:*any FlexVolume:*any Cinder:*any
  CephFS=cephfs:*any Flocker:*any DownwardAPI:*DownwardAPIVolumeSource FC=fc:*any AzureFile:*any ConfigMap:*ConfigMapVolumeSource VsphereVolume:*any AzureDisk:*any PhotonPersistentDisk:*any
  Projected:*ProjectedVolumeSource PortworxVolume:*any ScaleIO=scaleIO:*any StorageOS=storageos:*any CSI=csi:*CSIVolumeSource Ephemeral:*any Image:*ImageVolumeSource`

const containerFields = `Name Image Command:[]string Args:[]string WorkingDir Ports:[]ContainerPort EnvFrom:[]EnvFromSource Env:[]EnvVar Resources:ResourceRequirements ResizePolicy:[]ContainerResizePolicy
  RestartPolicy:*string RestartPolicyRules:[]ContainerRestartRule VolumeMounts:[]VolumeMount VolumeDevices:[]VolumeDevice LivenessProbe:*Probe ReadinessProbe:*Probe StartupProbe:*Probe Lifecycle:*Lifecycle
  TerminationMessagePath TerminationMessagePolicy ImagePullPolicy SecurityContext:*SecurityContext Stdin:bool StdinOnce:bool TTY=tty:bool`

const podTypes: Record<string, string> = {
  PodSpec: `Volumes:[]Volume InitContainers:[]Container Containers:[]Container EphemeralContainers:[]EphemeralContainer RestartPolicy TerminationGracePeriodSeconds:*int ActiveDeadlineSeconds:*int
    DNSPolicy=dnsPolicy NodeSelector:{}string ServiceAccountName AutomountServiceAccountToken:*bool NodeName SecurityContext=.:PodSecurityContext ImagePullSecrets:[]LocalObjectReference Hostname Subdomain
    SetHostnameAsFQDN=setHostnameAsFQDN:*bool Affinity:*Affinity SchedulerName Tolerations:[]Toleration HostAliases:[]HostAlias PriorityClassName Priority:*int PreemptionPolicy:*string
    DNSConfig=dnsConfig:*PodDNSConfig ReadinessGates:[]PodReadinessGate RuntimeClassName:*string Overhead:{}quantity EnableServiceLinks:*bool TopologySpreadConstraints:[]TopologySpreadConstraint OS=os:*PodOS
    SchedulingGates:[]PodSchedulingGate ResourceClaims:[]PodResourceClaim Resources:*ResourceRequirements HostnameOverride:*string SchedulingGroup:*PodSchedulingGroup`,
  // In memory the host's namespaces belong to the security context: its fields are read from the whole spec.
  PodSecurityContext: `HostNetwork=hostNetwork:bool HostPID=hostPID:bool HostIPC=hostIPC:bool ShareProcessNamespace:*bool HostUsers:*bool SELinuxOptions=securityContext/seLinuxOptions:*SELinuxOptions
    WindowsOptions=securityContext/windowsOptions:*WindowsSecurityContextOptions RunAsUser=securityContext/runAsUser:*int RunAsGroup=securityContext/runAsGroup:*int RunAsNonRoot=securityContext/runAsNonRoot:*bool
    SupplementalGroups=securityContext/supplementalGroups:[]int SupplementalGroupsPolicy=securityContext/supplementalGroupsPolicy:*string FSGroup=securityContext/fsGroup:*int
    FSGroupChangePolicy=securityContext/fsGroupChangePolicy:*string Sysctls=securityContext/sysctls:[]Sysctl SeccompProfile=securityContext/seccompProfile:*SeccompProfile
    AppArmorProfile=securityContext/appArmorProfile:*SeccompProfile SELinuxChangePolicy=securityContext/seLinuxChangePolicy:*string`,
  Container: containerFields,
  EphemeralContainer: `${containerFields} TargetContainerName`,
  ContainerPort: 'Name HostPort:int ContainerPort:int Protocol HostIP=hostIP',
  EnvFromSource: 'Prefix ConfigMapRef:*NamedSource SecretRef:*NamedSource',
  NamedSource: 'Name Optional:*bool',
  EnvVar: 'Name Value ValueFrom:*EnvVarSource',
  EnvVarSource: 'FieldRef:*ObjectFieldSelector ResourceFieldRef:*ResourceFieldSelector ConfigMapKeyRef:*KeySelector SecretKeyRef:*KeySelector FileKeyRef:*FileKeySelector',
  ObjectFieldSelector: 'APIVersion=apiVersion FieldPath',
  ResourceFieldSelector: 'ContainerName Resource Divisor:quantity',
  KeySelector: 'Name Key Optional:*bool',
  FileKeySelector: 'VolumeName Path Key Optional:*bool',
  ResourceRequirements: 'Limits:{}quantity Requests:{}quantity Claims:[]ResourceClaim',
  ResourceClaim: 'Name Request',
  ContainerResizePolicy: 'ResourceName RestartPolicy',
  ContainerRestartRule: 'Action ExitCodes:*ContainerRestartRuleOnExitCodes',
  ContainerRestartRuleOnExitCodes: 'Operator Values:[]int',
  VolumeMount: 'Name ReadOnly:bool RecursiveReadOnly:*string MountPath SubPath MountPropagation:*string SubPathExpr',
  VolumeDevice: 'Name DevicePath',
  Probe: `Exec:*ExecAction HTTPGet=httpGet:*HTTPGetAction TCPSocket=tcpSocket:*TCPSocketAction GRPC=grpc:*GRPCAction InitialDelaySeconds:int TimeoutSeconds:int PeriodSeconds:int SuccessThreshold:int
    FailureThreshold:int TerminationGracePeriodSeconds:*int`,
  ExecAction: 'Command:[]string',
  HTTPGetAction: 'Path Port:int Host Scheme HTTPHeaders=httpHeaders:[]HTTPHeader',
  HTTPHeader: 'Name Value',
  TCPSocketAction: 'Port:int Host',
  GRPCAction: 'Port:int Service:*string',
  Lifecycle: 'PostStart:*LifecycleHandler PreStop:*LifecycleHandler StopSignal:*string',
  LifecycleHandler: 'Exec:*ExecAction HTTPGet=httpGet:*HTTPGetAction TCPSocket=tcpSocket:*TCPSocketAction Sleep:*SleepAction',
  SleepAction: 'Seconds:int',
  LocalObjectReference: 'Name',
  Sysctl: 'Name Value',
  Toleration: 'Key Operator Value Effect TolerationSeconds:*int',
  HostAlias: 'IP=ip Hostnames:[]string',
  PodDNSConfig: 'Nameservers:[]string Searches:[]string Options:[]PodDNSConfigOption',
  PodDNSConfigOption: 'Name Value:*string',
  PodReadinessGate: 'ConditionType',
  PodOS: 'Name',
  PodSchedulingGate: 'Name',
  PodSchedulingGroup: 'PodGroupName:*string',
  PodResourceClaim: 'Name ResourceClaimName:*string ResourceClaimTemplateName:*string',
  TopologySpreadConstraint: 'MaxSkew:int TopologyKey WhenUnsatisfiable LabelSelector:any MinDomains:*int NodeAffinityPolicy:*string NodeTaintsPolicy:*string MatchLabelKeys:[]string',
  Affinity: 'NodeAffinity:*NodeAffinity PodAffinity:*PodAffinity PodAntiAffinity:*PodAffinity',
  NodeAffinity: 'RequiredDuringSchedulingIgnoredDuringExecution:*NodeSelector PreferredDuringSchedulingIgnoredDuringExecution:[]PreferredSchedulingTerm',
  NodeSelector: 'NodeSelectorTerms:[]NodeSelectorTerm',
  NodeSelectorTerm: 'MatchExpressions:[]NodeSelectorRequirement MatchFields:[]NodeSelectorRequirement',
  NodeSelectorRequirement: 'Key Operator Values:[]string',
  PreferredSchedulingTerm: 'Weight:int Preference:NodeSelectorTerm',
  PodAffinity: 'RequiredDuringSchedulingIgnoredDuringExecution:[]PodAffinityTerm PreferredDuringSchedulingIgnoredDuringExecution:[]WeightedPodAffinityTerm',
  PodAffinityTerm: 'LabelSelector:any Namespaces:[]string TopologyKey NamespaceSelector:any MatchLabelKeys:[]string MismatchLabelKeys:[]string',
  WeightedPodAffinityTerm: 'Weight:int PodAffinityTerm:PodAffinityTerm',
  PodIP: 'IP=ip',
  HostIP: 'IP=ip',
}

const volumeTypes: Record<string, string> = {
  Volume: `Name ${volumeSources}`,
  HostPathVolumeSource: 'Path Type:*string',
  EmptyDirVolumeSource: 'Medium SizeLimit:*quantity',
  GCEPersistentDisk: 'PDName=pdName FSType=fsType Partition:int ReadOnly:bool',
  AWSElasticBlockStore: 'VolumeID=volumeID FSType=fsType Partition:int ReadOnly:bool',
  GitRepo: 'Repository Revision Directory',
  NFS: 'Server Path ReadOnly:bool',
  SecretVolumeSource: 'SecretName Items:[]KeyToPath DefaultMode:*int Optional:*bool',
  ConfigMapVolumeSource: 'Name Items:[]KeyToPath DefaultMode:*int Optional:*bool',
  KeyToPath: 'Key Path Mode:*int',
  PersistentVolumeClaimVolumeSource: 'ClaimName ReadOnly:bool',
  DownwardAPIVolumeSource: 'Items:[]DownwardAPIVolumeFile DefaultMode:*int',
  DownwardAPIVolumeFile: 'Path FieldRef:*ObjectFieldSelector ResourceFieldRef:*ResourceFieldSelector Mode:*int',
  ProjectedVolumeSource: 'Sources:[]VolumeProjection DefaultMode:*int',
  VolumeProjection: `Secret:*SecretProjection DownwardAPI:*DownwardAPIProjection ConfigMap:*SecretProjection ServiceAccountToken:*ServiceAccountTokenProjection ClusterTrustBundle:*ClusterTrustBundleProjection
    PodCertificate:*PodCertificateProjection`,
  SecretProjection: 'Name Items:[]KeyToPath Optional:*bool',
  DownwardAPIProjection: 'Items:[]DownwardAPIVolumeFile',
  ServiceAccountTokenProjection: 'Audience ExpirationSeconds:int Path',
  ClusterTrustBundleProjection: 'Name:*string SignerName:*string LabelSelector:any Optional:*bool Path',
  PodCertificateProjection: 'SignerName KeyType MaxExpirationSeconds:*int CredentialBundlePath KeyPath CertificateChainPath UserAnnotations:{}string',
  CSIVolumeSource: 'Driver ReadOnly:*bool FSType=fsType:*string VolumeAttributes:{}string NodePublishSecretRef:*LocalObjectReference',
  ImageVolumeSource: 'Reference PullPolicy',
}

/** Internal types by name. */
export const internalTypes: Readonly<Record<string, string>> = {
  ...podTypes,
  ...volumeTypes,
  ...storageTypes,
  ...workloadTypes,
  ServicePort: 'Name Protocol AppProtocol:*string Port:int TargetPort:int NodePort:int',
  Taint: 'Key Value Effect TimeAdded:*string',
  NodeAddress: 'Type Address',
  NodeConfigSource: 'ConfigMap:*ConfigMapNodeConfigSource',
  ConfigMapNodeConfigSource: 'Namespace Name UID=uid ResourceVersion KubeletConfigKey',
  SeccompProfile: 'Type LocalhostProfile:*string',
  SecurityContext: `Capabilities:*Capabilities Privileged:*bool SELinuxOptions=seLinuxOptions:*SELinuxOptions WindowsOptions:*WindowsSecurityContextOptions RunAsUser:*int RunAsGroup:*int RunAsNonRoot:*bool
    ReadOnlyRootFilesystem:*bool AllowPrivilegeEscalation:*bool ProcMount:*string SeccompProfile:*SeccompProfile AppArmorProfile:*SeccompProfile`,
  Capabilities: 'Add:[]string Drop:[]string',
  SELinuxOptions: 'User Role Type Level',
  WindowsSecurityContextOptions: 'GMSACredentialSpecName=gmsaCredentialSpecName:*string GMSACredentialSpec=gmsaCredentialSpec:*string RunAsUserName:*string HostProcess:*bool',
  DeploymentStrategy: 'Type RollingUpdate:*RollingUpdateDeployment',
  RollingUpdateDeployment: 'MaxUnavailable:int MaxSurge:int',
  RoleRef: 'APIGroup=apiGroup Kind Name',
  NonResourceAttributes: 'Path Verb',
  ParentReference: 'Group Resource Namespace Name',
}
