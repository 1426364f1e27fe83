/** What a configuration file may hold, as data: enough to decode strictly and to name the path of what is wrong. */
export type Shape =
  | { readonly type: 'string'; readonly enum?: readonly string[] }
  | { readonly type: 'boolean' }
  | { readonly type: 'integer'; readonly minimum?: number; readonly maximum?: number }
  | { readonly type: 'number' }
  /** A Go duration string; kept as the string. */
  | { readonly type: 'duration' }
  | { readonly type: 'quantity' }
  /** An integer or a string (`IntOrString`). */
  | { readonly type: 'intOrString' }
  | { readonly type: 'object'; readonly fields: Readonly<Record<string, Shape>>; readonly required?: readonly string[] }
  | { readonly type: 'map'; readonly values: Shape }
  | { readonly type: 'list'; readonly items: Shape }
  /** Kept as it is: decoded later by whoever knows (plugin arguments). */
  | { readonly type: 'raw' }
