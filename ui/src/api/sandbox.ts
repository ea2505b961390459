import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { call } from './client'
import type { Page } from './page'

export type LetterRow = {
  id: number
  at: string
  channel: string
  recipient: string
  subject: string | null
  sender: string | null
  confirmation: boolean
  preview?: string | null
}

export type Letter = LetterRow & {
  profile_id: string
  scenario_id: number | null
  scenario_name: string | null
  text: string | null
  html: string | null
  headers: Record<string, string> | null
}

export function useLetters(search: string) {
  return useInfiniteQuery({
    queryKey: ['letters', search],
    queryFn: ({ pageParam, signal }) =>
      call<Page<LetterRow>>('GET', '/sandbox/messages', { query: { search, before: pageParam, limit: 50 }, signal }),
    initialPageParam: null as string | number | null,
    getNextPageParam: (page) => page.next,
    placeholderData: keepPreviousData,
    refetchInterval: 10_000,
  })
}

export function useLetter(id: number | null) {
  return useQuery({
    queryKey: ['letter', id],
    queryFn: ({ signal }) => call<Letter>('GET', `/sandbox/messages/${id}`, { signal }),
    enabled: id !== null,
    staleTime: Infinity,
  })
}
