// The writer thread: owns the SQLite file.
import { parentPort, workerData } from 'node:worker_threads'
import { openDatabase } from './sqlite-database.ts'
import type { WriterRequest, WriterResponse } from './sqlite-protocol.ts'

function serve({ file, fsync }: { file: string, fsync: boolean }): void {
  const port = parentPort
  if (!port) throw new Error('the SQLite writer runs as a worker thread')
  const database = openDatabase(file, fsync)
  const answer = (response: WriterResponse): void => port.postMessage(response)

  port.on('message', (request: WriterRequest) => {
    if (request.type === 'load') answer({ type: 'loaded', ...database.load(), size: database.size() })
    else if (request.type === 'commit') {
      const failed = database.commit(request.rows)
      answer(failed ? { type: 'failed', ...failed } : { type: 'committed', size: database.size() })
    } else {
      database.close()
      answer({ type: 'closed' })
      port.close()
    }
  })
}

serve(workerData as { file: string, fsync: boolean })
