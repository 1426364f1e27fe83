import { sleep, systemClock, type Clock, type Transport } from '@berth/kube'

/** A transport that sends no more than `qps` requests a second, and no more than `burst` at once (clientConnection); others wait, in order. */
export function rateLimited(transport: Transport, { qps, burst }: { readonly qps: number; readonly burst: number }, clock: Clock = systemClock): Transport {
  if (qps <= 0) return transport
  let tokens = burst
  let since = clock.now()
  return {
    async request(request) {
      const now = clock.now()
      tokens = Math.min(burst, tokens + ((now - since) * qps) / 1000) - 1
      since = now
      // Whoever overdraws waits until what it took has come in.
      if (tokens < 0) await sleep(clock, (-tokens * 1000) / qps, request.signal)
      return transport.request(request)
    },
    close: () => transport.close(),
  }
}
