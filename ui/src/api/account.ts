import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { answer, api, type Shapes } from './client'

export type Account = Shapes['AccountShape']

export function useAccount() {
  return useQuery({
    queryKey: ['account'],
    queryFn: ({ signal }) => answer(api.GET('/account', { signal })),
  })
}

export function useTimeZones() {
  return useQuery({
    queryKey: ['time-zones'],
    queryFn: ({ signal }) => answer(api.GET('/time-zones', { signal })),
    staleTime: Infinity,
  })
}

export function useChangeAccount() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (account: Account) => answer(api.PATCH('/account', { body: account })),
    onSuccess: (changed) => client.setQueryData(['account'], changed),
  })
}
