import { useEffect, useEffectEvent, useState } from 'react'

/** Listens to server-sent events at `url` (null: not). The browser reconnects by itself; tells whether the stream is open. */
export function useEventStream<T>(url: string | null, onMessage: (data: T) => void): boolean {
  const [open, setOpen] = useState(false)
  const receive = useEffectEvent(onMessage)
  useEffect(() => {
    if (!url) return
    const source = new EventSource(url)
    source.onopen = () => setOpen(true)
    source.onerror = () => setOpen(false)
    const read = (event: MessageEvent<string>) => receive(JSON.parse(event.data) as T)
    source.onmessage = read
    for (const name of ['statistics', 'task', 'progress']) source.addEventListener(name, read)
    return () => {
      source.close()
      setOpen(false)
    }
  }, [url])
  return open
}
