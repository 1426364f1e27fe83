/**
 * Where a value comes from: a variable and what is selected from it. Upstream's paths are slices, and two that grow out of one share
 * its memory while there is room: the later one writes over the end of the earlier, whose size, if it is looked up only then, is that of
 * the later. It decides which rules a cluster takes (`self.items.all(i, i.tags.all(t, t != i.name))`), so it is the same here.
 */
export class Path {
  private readonly shared: string[]
  private readonly length: number
  private readonly room: number

  private constructor(shared: string[], length: number, room: number) {
    this.shared = shared
    this.length = length
    this.room = room
  }

  static of(variable: string): Path {
    return new Path([variable], 1, 1)
  }

  /** The path of a part of what this path, or none, leads to. */
  static below(path: Path | undefined, name: string): Path {
    if (path === undefined) return Path.of(name)
    const { length, room } = path
    const shared = length < room ? path.shared : path.shared.slice(0, length)
    shared[length] = name
    return new Path(shared, length + 1, length < room ? room : room * 2)
  }

  names(): readonly string[] {
    return this.shared.slice(0, this.length)
  }
}
