import fs from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { pace } from './load.ts'
import { prepare } from './contenders.ts'
import { kinds } from './objects.ts'
import type { Figures, Setup } from './stations.ts'

/** Fresh servers that fill up with nodes: what one more costs when there are many, and what they weigh in memory. */
export async function growing({ contenders, runs, size, directoryOf, log }: Setup, figures: Figures): Promise<void> {
  const sizes = [1250, 5000, 20_000].map((count) => count * size)
  for (let run = 0; run < runs; run++) {
    for (const contender of contenders) {
      const directory = `${directoryOf(contender)}-growth`
      const server = await contender.start(directory)
      try {
        await prepare(server, contender, [kinds.nodelikes], ['growth'])
        let made = 0
        for (const count of sizes) {
          const from = made
          const cpu = server.cpuSeconds()
          await pace(count - from, 16, (i) => server.load.must('POST', kinds.nodelikes.collection('growth'), JSON.stringify(kinds.nodelikes.make(from + i, 'growth'))))
          const created = server.cpuSeconds()
          await pace(3, 1, () => server.load.must('GET', kinds.nodelikes.collection('growth')))
          made = count
          await sleep(3000)
          figures.add(`a node's create with ${count} nodes, CPU`, 'ms', { contender }, ((created - cpu) / (count - from)) * 1000)
          figures.add(`a list of ${count} nodes, CPU a node`, 'us', { contender }, ((server.cpuSeconds() - created) / 3 / count) * 1e6)
          figures.add(`RSS with ${count} nodes`, 'MiB', { contender }, server.rssMiB())
          log(`growth, ${contender.name}, ${count} nodes: ${server.rssMiB().toFixed(0)} MiB`)
        }
      } finally {
        await server.stop()
        fs.rmSync(directory, { recursive: true, force: true })
      }
    }
  }
}
