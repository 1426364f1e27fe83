import type { Signal } from '@berth/cri'

/** CRI's name of a signal as Docker wants it: `SIGRTMINPLUS3` is `SIGRTMIN+3`. */
export function stopSignal(signal: Signal): string {
  return signal.replace('PLUS', '+').replace('MINUS', '-')
}
