/** Internal types of volumes and claims, in the notation of types.ts. */
export const storageTypes: Readonly<Record<string, string>> = {
  PersistentVolumeSource: `GCEPersistentDisk=gcePersistentDisk:*GCEPersistentDisk AWSElasticBlockStore=awsElasticBlockStore:*AWSElasticBlockStore HostPath:*HostPathVolumeSource
    Glusterfs:*GlusterfsPersistentVolumeSource NFS=nfs:*NFS RBD=rbd:*RBDPersistentVolumeSource Quobyte:*any ISCSI=iscsi:*ISCSIPersistentVolumeSource FlexVolume:*FlexPersistentVolumeSource
    Cinder:*CinderPersistentVolumeSource CephFS=cephfs:*CephFSPersistentVolumeSource FC=fc:*any Flocker:*any AzureFile:*AzureFilePersistentVolumeSource VsphereVolume:*any AzureDisk:*any
    PhotonPersistentDisk:*any PortworxVolume:*any ScaleIO=scaleIO:*any Local:*LocalVolumeSource StorageOS=storageos:*any CSI=csi:*CSIPersistentVolumeSource`,
  GlusterfsPersistentVolumeSource: 'EndpointsName=endpoints Path ReadOnly:bool EndpointsNamespace:*string',
  RBDPersistentVolumeSource: 'CephMonitors=monitors:[]string RBDImage=image FSType=fsType RBDPool=pool RadosUser=user Keyring SecretRef:*SecretReference ReadOnly:bool',
  ISCSIPersistentVolumeSource: `TargetPortal IQN=iqn Lun:int ISCSIInterface=iscsiInterface FSType=fsType ReadOnly:bool Portals:[]string DiscoveryCHAPAuth=chapAuthDiscovery:bool
    SessionCHAPAuth=chapAuthSession:bool SecretRef:*SecretReference InitiatorName:*string`,
  FlexPersistentVolumeSource: 'Driver FSType=fsType SecretRef:*SecretReference ReadOnly:bool Options:{}string',
  CinderPersistentVolumeSource: 'VolumeID=volumeID FSType=fsType ReadOnly:bool SecretRef:*SecretReference',
  CephFSPersistentVolumeSource: 'Monitors:[]string Path User SecretFile SecretRef:*SecretReference ReadOnly:bool',
  AzureFilePersistentVolumeSource: 'SecretName ShareName ReadOnly:bool SecretNamespace:*string',
  LocalVolumeSource: 'Path FSType=fsType:*string',
  CSIPersistentVolumeSource: `Driver VolumeHandle ReadOnly:bool FSType=fsType VolumeAttributes:{}string ControllerPublishSecretRef:*SecretReference NodeStageSecretRef:*SecretReference
    NodePublishSecretRef:*SecretReference ControllerExpandSecretRef:*SecretReference NodeExpandSecretRef:*SecretReference`,
  SecretReference: 'Name Namespace',
  PersistentVolumeClaimSpec: `AccessModes:[]string Selector:any Resources:VolumeResourceRequirements VolumeName StorageClassName:*string VolumeMode:*string DataSource:*TypedLocalObjectReference
    DataSourceRef:*TypedObjectReference VolumeAttributesClassName:*string`,
  VolumeResourceRequirements: 'Limits:{}quantity Requests:{}quantity',
  TypedLocalObjectReference: 'APIGroup=apiGroup:*string Kind Name',
  TypedObjectReference: 'APIGroup=apiGroup:*string Kind Name Namespace:*string',
  VolumeNodeAffinity: 'Required:*NodeSelector',
  VolumeAttachmentSpec: 'Attacher Source:VolumeAttachmentSource NodeName',
  VolumeAttachmentSource: 'PersistentVolumeName:*string InlineVolumeSpec:any',
  CSINodeDriver: 'Name NodeID=nodeID TopologyKeys:[]string Allocatable:*VolumeNodeResources',
  VolumeNodeResources: 'Count:*int',
}
