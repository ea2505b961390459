import { useQuery } from '@tanstack/react-query'
import { call } from './client'

export type Status = { version: string; sandbox: { email: boolean; sms: boolean } }

/** The product's version, and which channels end in the sandbox mailbox. */
export function useStatus() {
  return useQuery({
    queryKey: ['status'],
    queryFn: ({ signal }) => call<Status>('GET', '/status', { signal }),
    staleTime: 60_000,
    refetchInterval: 60_000,
  })
}
