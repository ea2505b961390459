import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { answer, api, type Shapes } from './client'
import { byNumber } from './page'

export type LetterRow = Shapes['SandboxRow']
export type Letter = Shapes['SandboxLetter']

export function useLetters(search: string) {
  return useInfiniteQuery({
    queryKey: ['letters', search],
    queryFn: ({ pageParam, signal }) =>
      answer(api.GET('/sandbox/messages', { params: { query: { search, before: pageParam, limit: 50 } }, signal })),
    ...byNumber,
    placeholderData: keepPreviousData,
    refetchInterval: 10_000,
  })
}

export function useLetter(id: number | null) {
  return useQuery({
    queryKey: ['letter', id],
    queryFn: ({ signal }) =>
      answer(api.GET('/sandbox/messages/{message_id}', { params: { path: { message_id: id! } }, signal })),
    enabled: id !== null,
    staleTime: Infinity,
  })
}
