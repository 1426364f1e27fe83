// A thread that parses one YAML text and ends.
import { parentPort, workerData } from 'node:worker_threads'
import * as library from 'yaml'
import type { Json } from '@berth/api'
import { parseYamlText } from './yaml-parse.ts'

/** What came of it. */
export type YamlOutcome = { value: Json } | { problem: string }

function outcome(): YamlOutcome {
  try {
    return { value: parseYamlText(library, String(workerData)) }
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) }
  }
}

parentPort?.postMessage(outcome())
