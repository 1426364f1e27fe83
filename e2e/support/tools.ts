import fs from 'node:fs'
import path from 'node:path'

/** Where tools lie that the suites use when they are there, and that nothing here installs. */
const places = [process.env['KUBEBUILDER_ASSETS'], '/usr/local/kubebuilder/bin', ...(process.env['PATH'] ?? '').split(':')]

/** The path of a program, or undefined where this machine has none. */
export function tool(name: string): string | undefined {
  return places.filter((place) => place !== undefined && place !== '').map((place) => path.join(place ?? '', name)).find((file) => {
    try {
      fs.accessSync(file, fs.constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}
