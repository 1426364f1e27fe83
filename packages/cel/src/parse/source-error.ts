/** An error at an offset of a source in cel-go's form: position, the line, and a mark under the place. */
export function errorText(source: string, offset: number, message: string): string {
  const before = source.slice(0, offset)
  const line = before.split('\n').length
  const lineStart = before.lastIndexOf('\n') + 1
  const column = [...before.slice(lineStart)].length
  const text = source.slice(lineStart).split('\n', 1)[0] ?? ''
  // Characters beyond ASCII get wide marks, so that the mark stands under its place.
  const marks = [...text].map(character => character > '\u007f' ? '．' : '.')
  const mark = ([...text][column] ?? '') > '\u007f' ? '＾' : '^'
  return `ERROR: <input>:${line}:${column + 1}: ${message}\n | ${text.replaceAll('\t', ' ')}\n | ${marks.slice(0, column).join('').padEnd(column, '.')}${mark}`
}
