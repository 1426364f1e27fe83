import { isIPv4, isIPv6 } from 'node:net'

function isCidr(text: string): boolean {
  const [address = '', length = '', ...rest] = text.split('/')
  return rest.length === 0 && /^\d{1,3}$/.test(length) && (isIPv4(address) ? Number(length) <= 32 : isIPv6(address) && Number(length) <= 128)
}

/** The formats that custom resources' strings are held to (upstream: apiextensions' supported formats); others are ignored. */
export const stringFormats: Readonly<Record<string, (value: string) => boolean>> = {
  'bsonobjectid': (v) => /^[0-9a-f]{24}$/i.test(v),
  'uri': (v) => /^[a-z][a-z0-9+.-]*:/i.test(v) || v.startsWith('/'),
  'email': (v) => /^[^\s@]+@[^\s@]+$/.test(v),
  'hostname': (v) => v.length <= 255 && /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i.test(v),
  'ipv4': isIPv4,
  'ipv6': isIPv6,
  'cidr': isCidr,
  'mac': (v) => /^([0-9a-f]{2}[:-]){5}[0-9a-f]{2}$/i.test(v),
  'uuid': (v) => /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i.test(v),
  'uuid3': (v) => /^[0-9a-f]{8}-?[0-9a-f]{4}-?3[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i.test(v),
  'uuid4': (v) => /^[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i.test(v),
  'uuid5': (v) => /^[0-9a-f]{8}-?[0-9a-f]{4}-?5[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i.test(v),
  'byte': (v) => /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(v),
  'date': (v) => /^\d{4}-\d{2}-\d{2}$/.test(v) && !Number.isNaN(Date.parse(v)),
  'date-time': (v) => /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/.test(v) && !Number.isNaN(Date.parse(v.replace(' ', 'T').toUpperCase())),
  'duration': (v) => /^[+-]?(0|(\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h|d|w))((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h|d|w))*$/.test(v),
  'password': () => true,
  'isbn10': (v) => /^(\d[ -]?){9}[\dX]$/i.test(v),
  'isbn13': (v) => /^(\d[ -]?){12}\d$/.test(v),
  'creditcard': (v) => /^(\d[ -]?){13,19}$/.test(v),
  'ssn': (v) => /^\d{3}[- ]?\d{2}[- ]?\d{4}$/.test(v),
  'hexcolor': (v) => /^#?([0-9a-f]{3}|[0-9a-f]{6})$/i.test(v),
  'rgbcolor': (v) => /^rgb\(\s*\d{1,3}\s*,\s*\d{1,3}\s*,\s*\d{1,3}\s*\)$/.test(v),
  'k8s-short-name': (v) => v.length <= 63 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(v),
  'k8s-long-name': (v) => v.length <= 253 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(v),
}
