import { useQuery } from '@tanstack/react-query'
import { answer, api } from './client'

const RENEW_MS = 60_000

/** The product's version, and which channels end in the sandbox mailbox. */
export function useStatus() {
  return useQuery({
    queryKey: ['status'],
    queryFn: ({ signal }) => answer(api.GET('/status', { signal })),
    staleTime: RENEW_MS,
    refetchInterval: RENEW_MS,
  })
}
