const texts = new WeakMap<object, string>()

/** A part of an object as text. Pods of one template share their parts, and parts never change: the text is made once. */
export function textOf(part: object): string {
  let text = texts.get(part)
  if (text === undefined) texts.set(part, text = JSON.stringify(part))
  return text
}
