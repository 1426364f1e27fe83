import type { DownwardAPIVolumeFile, ProjectedVolumeSource, VolumeProjection } from '../../types/core/v1.ts'
import { checkFormat, checkOneOf, checkRequired, child, textOf } from '../common.ts'
import { forbidden, invalid, required } from '../field-errors.ts'
import type { FieldError } from '../field-errors.ts'
import { dns1123Subdomain } from '../formats.ts'
import { checkLabelSelector } from '../label-selector.ts'
import { checkFieldRef, checkResourceFieldRef, volumeFieldPaths } from './field-refs.ts'
import { checkFileMode, checkNonReservedPath } from './paths.ts'
import { checkKeyToPath } from './volumes.ts'

/** Files of a downward API volume; problems name the volume's field, not the file. */
export function checkDownwardApiFiles(files: readonly DownwardAPIVolumeFile[] | undefined, at: string): FieldError[] {
  return (files ?? []).flatMap((file) => checkDownwardApiFile(file, at))
}

function checkDownwardApiFile(file: DownwardAPIVolumeFile, at: string): FieldError[] {
  const errors = [...checkRequired(child(at, 'path'), file.path), ...checkNonReservedPath(child(at, 'path'), textOf(file.path))]
  if (file.fieldRef) {
    errors.push(...checkFieldRef(child(at, 'fieldRef'), file.fieldRef, volumeFieldPaths))
    if (file.resourceFieldRef) errors.push(invalid(at, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously'))
  } else if (file.resourceFieldRef) errors.push(...checkResourceFieldRef(child(at, 'resourceFieldRef'), file.resourceFieldRef, true))
  else errors.push(required(at, 'one of fieldRef and resourceFieldRef is required'))
  return [...errors, ...checkFileMode(child(at, 'mode'), file.mode)]
}

/** A projected volume: each source, and no file twice. */
export function checkProjected(projected: ProjectedVolumeSource, at: string): FieldError[] {
  const paths = new Set<string>()
  const claim = (path: string, value: string): FieldError[] => {
    if (path === '') return []
    if (paths.has(path)) return [invalid(at, value, 'conflicting duplicate paths')]
    paths.add(path)
    return []
  }
  const errors = checkFileMode(child(at, 'defaultMode'), projected.defaultMode)
  projected.sources?.forEach((source, i) => errors.push(...checkSource(source, `${at}.sources[${i}]`, at, claim)))
  return errors
}

type Claim = (path: string, value: string) => FieldError[]

function checkSource(source: VolumeProjection, at: string, volume: string, claim: Claim): FieldError[] {
  const errors: FieldError[] = []
  for (const kind of ['secret', 'configMap'] as const) {
    const keys = source[kind]
    if (!keys) continue
    errors.push(...checkRequired(`${at}.${kind}.name`, keys.name))
    keys.items?.forEach((item, i) => errors.push(...checkKeyToPath(item, `${at}.${kind}.items[${i}]`), ...claim(textOf(item.path), textOf(keys.name))))
  }
  for (const file of source.downwardAPI?.items ?? []) errors.push(...checkDownwardApiFile(file, `${at}.downwardAPI`), ...claim(textOf(file.path), textOf(file.path)))
  if (source.serviceAccountToken) errors.push(...checkToken(source.serviceAccountToken, `${at}.serviceAccountToken`, volume))
  if (source.clusterTrustBundle) errors.push(...checkTrustBundle(source.clusterTrustBundle, `${at}.clusterTrustBundle`), ...claim(textOf(source.clusterTrustBundle.path), textOf(source.clusterTrustBundle.path)))
  if (source.podCertificate) errors.push(...checkPodCertificate(source.podCertificate, `${at}.podCertificate`, claim))
  if (Object.values(source).filter((part) => part !== undefined).length > 1) errors.push(forbidden(at, 'may not specify more than 1 volume type per source'))
  return errors
}

function checkToken(token: NonNullable<VolumeProjection['serviceAccountToken']>, at: string, volume: string): FieldError[] {
  const seconds = token.expirationSeconds ?? 3600
  const errors: FieldError[] = []
  if (seconds < 600) errors.push(invalid(child(at, 'expirationSeconds'), seconds, 'may not specify a duration less than 10 minutes'))
  if (seconds > 2 ** 32) errors.push(invalid(child(at, 'expirationSeconds'), seconds, 'may not specify a duration larger than 2^32 seconds'))
  // Upstream names the volume's path here, not the source's.
  if (textOf(token.path) === '') return [...errors, required(child(volume, 'path'))]
  return [...errors, ...checkNonReservedPath(child(volume, 'path'), token.path)]
}

function checkTrustBundle(bundle: NonNullable<VolumeProjection['clusterTrustBundle']>, at: string): FieldError[] {
  const errors: FieldError[] = []
  if (bundle.name !== undefined && bundle.signerName !== undefined) errors.push(invalid(at, bundle, 'only one of name and signerName may be used'))
  else if (bundle.name !== undefined) {
    if (bundle.name === '') errors.push(required(child(at, 'name'), 'must be a valid object name'))
    errors.push(...dns1123Subdomain(bundle.name.split(':').at(-1) ?? '').map((problem) => invalid(child(at, 'name'), bundle.name, `not a valid clustertrustbundlename: ${problem}`)))
    if (bundle.labelSelector) errors.push(invalid(child(at, 'labelSelector'), bundle.labelSelector, 'labelSelector must be unset if name is specified'))
  } else if (bundle.signerName !== undefined) {
    if (bundle.signerName === '') errors.push(required(child(at, 'signerName'), 'must be a valid signer name'))
    errors.push(...checkSignerName(child(at, 'signerName'), bundle.signerName), ...checkLabelSelector(child(at, 'labelSelector'), bundle.labelSelector))
  } else errors.push(required(at, 'either name or signerName must be specified'))
  return [...errors, ...checkRequired(child(at, 'path'), bundle.path), ...checkNonReservedPath(child(at, 'path'), textOf(bundle.path))]
}

/** `domain/path`: the domain a DNS name of two labels or more. */
function checkSignerName(field: string, signer: string): FieldError[] {
  if (signer === '') return [required(field)]
  const [domain = '', path = '', ...rest] = signer.split('/')
  if (rest.length > 0 || path === '') return [invalid(field, signer, 'must be a fully qualified domain and path of the form "example.com/signer-name"')]
  const errors = checkFormat(field, domain, dns1123Subdomain)
  if (!domain.includes('.')) errors.push(invalid(field, domain, 'should be a domain with at least two segments separated by dots'))
  return errors
}

const keyTypes = ['ECDSAP256', 'ECDSAP384', 'ECDSAP521', 'ED25519', 'RSA3072', 'RSA4096']

function checkPodCertificate(certificate: NonNullable<VolumeProjection['podCertificate']>, at: string, claim: Claim): FieldError[] {
  const errors = [...checkSignerName(child(at, 'signerName'), textOf(certificate.signerName)), ...checkOneOf(child(at, 'keyType'), textOf(certificate.keyType), keyTypes)]
  const seconds = certificate.maxExpirationSeconds
  if (seconds !== undefined && seconds < 3600) errors.push(invalid(child(at, 'maxExpirationSeconds'), seconds, 'if provided, maxExpirationSeconds must be >= 3600'))
  const paths = (['credentialBundlePath', 'keyPath', 'certificateChainPath'] as const).filter((name) => textOf(certificate[name]) !== '')
  if (paths.length === 0) errors.push(required(at, 'specify at least one of credentialBundlePath, keyPath, and certificateChainPath'))
  for (const name of paths) errors.push(...checkNonReservedPath(child(at, name), textOf(certificate[name])), ...claim(textOf(certificate[name]), textOf(certificate[name])))
  return errors
}
