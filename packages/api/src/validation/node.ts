import type { Node, NodeConfigSource, Taint } from '../types/core/v1.ts'
import { checkFormat, child, notPositiveMessage, textOf } from './common.ts'
import { duplicate, forbidden, invalid, required } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'
import { configMapKey, dns1123Label, dns1123Subdomain, labelValueFormat } from './formats.ts'
import { toInternal } from './internal/forms.ts'
import { checkCidr, isDualStack } from './ip.ts'
import type { KindValidation } from './kind.ts'
import { checkLabelName, checkMeta, checkMetaUpdate, nameIsDnsSubdomain } from './object-meta.ts'
import { checkResourceQuantity } from './pod/resources.ts'
import { checkTaintEffect } from './pod/scheduling.ts'

/** Upstream reports taints under metadata. */
const taintsField = 'metadata.taints'

function checkTaints(taints: readonly Taint[] | undefined): FieldError[] {
  const seen = new Set<string>()
  return (taints ?? []).flatMap((taint, i) => {
    const at = `${taintsField}[${i}]`
    const errors = checkLabelName(child(at, 'key'), textOf(taint.key))
    const problems = labelValueFormat(textOf(taint.value))
    if (problems.length > 0) errors.push(invalid(child(at, 'value'), taint.value, problems.join(';')))
    errors.push(...checkTaintEffect(child(at, 'effect'), taint.effect, false))
    const pair = `${textOf(taint.key)}:${textOf(taint.effect)}`
    if (seen.has(pair)) errors.push(duplicate(at, toInternal('Taint', taint), 'taints must be unique by key and effect pair'))
    seen.add(pair)
    return errors
  })
}

function checkAmounts({ status }: Node): FieldError[] {
  return (['capacity', 'allocatable'] as const).flatMap((list) => Object.entries(status?.[list] ?? {}).flatMap(([name, amount]) => checkResourceQuantity(`status.${list}.${name}`, name, amount)))
}

function checkPodCidrs({ spec }: Node): FieldError[] {
  const cidrs = spec?.podCIDRs ?? []
  const errors = cidrs.flatMap((cidr, i) => checkCidr(`spec.podCIDRs[${i}]`, cidr))
  if (cidrs.length <= 1) return errors
  if (!isDualStack(cidrs) || cidrs.length > 2) errors.push(invalid('spec.podCIDRs', cidrs, 'may specify no more than one CIDR for each IP family'))
  return errors
}

/** Names of what a kubelet can do: sorted, each once. */
function checkDeclaredFeatures({ status }: Node): FieldError[] {
  return (status?.declaredFeatures ?? []).flatMap((feature, i, all) => {
    const field = `status.declaredFeatures[${i}]`
    const errors = checkFormat(field, feature, declaredFeature)
    const before = all[i - 1]
    if (before === feature) errors.unshift(duplicate(field, feature))
    else if (before !== undefined && before > feature) errors.unshift(invalid(field, feature, 'list must be sorted alphabetically'))
    return errors
  })
}

function declaredFeature(name: string): string[] {
  const wrong = `invalid feature name ${JSON.stringify(name)}: `
  if (name.length > 253) return [`${wrong}must be no more than 253 characters`]
  return /^[A-Z][a-zA-Z0-9]*(\/[a-zA-Z][a-zA-Z0-9]*)*$/.test(name) ? []
    : [`${wrong}must start with an UpperCamelCase segment, with subsequent segments separated by '/' (e.g., MyFeature or MyFeature/mySubFeature), and contain only alphanumeric characters and slashes`]
}

function checkSwap({ status }: Node): FieldError[] {
  const capacity = status?.nodeInfo?.swap?.capacity
  return capacity !== undefined && capacity <= 0 ? [invalid('metadata.nodeSwapStatus.capacity', String(capacity), notPositiveMessage)] : []
}

/** The node as such, on creation and when it is replaced. */
function checkNode(node: Node): FieldError[] {
  return [
    ...checkMeta(node.metadata, false, nameIsDnsSubdomain), ...checkTaints(node.spec?.taints), ...checkAmounts(node), ...checkSwap(node), ...checkDeclaredFeatures(node), ...checkPodCidrs(node),
  ]
}

export const nodeValidation: KindValidation<Node> = {
  namespaced: false,
  create: checkNode,
  update(node, old, subresource) {
    const whole = subresource === 'status' ? [] : checkNode(node)
    const errors = [...whole, ...checkMetaUpdate(node.metadata, old.metadata), ...checkAmounts(node), ...checkDeclaredFeatures(node), ...checkAddresses(node)]
    const before = old.spec?.podCIDRs ?? []
    const now = node.spec?.podCIDRs ?? []
    const once = forbidden('spec.podCIDRs', 'node updates may not change podCIDR except from "" to valid')
    if (before.length > 0) errors.push(...(before.length === now.length ? before.filter((cidr, i) => cidr !== now[i]).map(() => once) : [once]))
    if (textOf(old.spec?.providerID) !== '' && textOf(old.spec?.providerID) !== textOf(node.spec?.providerID)) {
      errors.push(forbidden('spec.providerID', 'node updates may not change providerID except from "" to valid'))
    }
    if (node.spec?.configSource) errors.push(...checkConfigSource(node.spec.configSource, 'spec.configSource', false))
    for (const part of ['assigned', 'active', 'lastKnownGood'] as const) {
      const source = node.status?.config?.[part]
      if (source) errors.push(...checkConfigSource(source, `status.config.${part}`, true))
    }
    errors.push(...checkTaints(node.spec?.taints))
    if (textOf(node.spec?.externalID) !== textOf(old.spec?.externalID)) errors.push(forbidden('spec.externalID', 'may not be updated'))
    return errors
  },
}

function checkAddresses({ status }: Node): FieldError[] {
  const seen = new Set<string>()
  return (status?.addresses ?? []).flatMap((address, i) => {
    const key = JSON.stringify([address.type, address.address])
    if (seen.has(key)) return [duplicate(`status.addresses[${i}]`, toInternal('NodeAddress', address))]
    seen.add(key)
    return []
  })
}

/** A source of kubelet configuration that no kubelet reads any more, but objects may still have. */
function checkConfigSource(source: NodeConfigSource, at: string, inStatus: boolean): FieldError[] {
  const map = source.configMap
  if (!map) return [invalid(at, toInternal('NodeConfigSource', source), 'exactly one reference subfield must be non-nil')]
  const field = child(at, 'configMap')
  const errors: FieldError[] = []
  for (const name of ['uid', 'resourceVersion'] as const) {
    const isSet = textOf(map[name]) !== ''
    if (inStatus && !isSet) errors.push(required(child(field, name), `${name} must be set in status`))
    if (!inStatus && isSet) errors.push(forbidden(child(field, name), `${name} must not be set in spec`))
  }
  const formats = [['namespace', dns1123Label], ['name', dns1123Subdomain], ['kubeletConfigKey', configMapKey]] as const
  for (const [name, format] of formats) errors.push(...(textOf(map[name]) === '' ? [required(child(field, name), `${name} must be set`)] : checkFormat(child(field, name), map[name], format)))
  return errors
}
