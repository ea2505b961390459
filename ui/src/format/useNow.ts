import { useSyncExternalStore } from 'react'

const TICK_MS = 5_000
let now = Date.now()
let timer: ReturnType<typeof setInterval> | undefined
const listeners = new Set<() => void>()

function subscribe(listener: () => void) {
  listeners.add(listener)
  timer ??= setInterval(() => {
    now = Date.now()
    listeners.forEach((tell) => tell())
  }, TICK_MS)
  return () => {
    listeners.delete(listener)
    if (listeners.size === 0) {
      clearInterval(timer)
      timer = undefined
    }
  }
}

/** The moment in milliseconds, renewed every few seconds, so that “a minute ago” stays true. */
export const useNow = () => useSyncExternalStore(subscribe, () => now)
