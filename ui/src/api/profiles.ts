import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { answer, api, type Shapes } from './client'
import { byNumber } from './page'

export type ProfileRow = Shapes['ProfileShape']
export type Profile = Shapes['FullProfile']
export type Subscription = Shapes['SubscriptionShape']
export type Passage = Shapes['PassageShape']
export type Step = Shapes['StepShape']
export type SentMessage = Shapes['sojourn__web__api__profiles__MessageShape']

const RENEW_MS = 10_000

export function useProfiles(database: number | undefined, search: string) {
  return useInfiniteQuery({
    queryKey: ['profiles', database, search],
    queryFn: ({ pageParam, signal }) =>
      answer(
        api.GET('/profiles', {
          params: { query: { database: database!, search, after: pageParam, limit: 100 } },
          signal,
        }),
      ),
    ...byNumber,
    enabled: database !== undefined,
    placeholderData: keepPreviousData,
  })
}

export function useProfile(id: string) {
  return useQuery({
    queryKey: ['profile', id],
    queryFn: ({ signal }) =>
      answer(api.GET('/profiles/{profile_id}', { params: { path: { profile_id: id } }, signal })),
    refetchInterval: RENEW_MS,
  })
}

export function usePassages(id: string, language: 'en' | 'ru') {
  return useInfiniteQuery({
    queryKey: ['profile', id, 'passages', language],
    queryFn: ({ pageParam, signal }) =>
      answer(
        api.GET('/profiles/{profile_id}/passages', {
          params: { path: { profile_id: id }, query: { before: pageParam, language, limit: 20 } },
          signal,
        }),
      ),
    ...byNumber,
    refetchInterval: RENEW_MS,
  })
}

export function useMessages(id: string) {
  return useInfiniteQuery({
    queryKey: ['profile', id, 'messages'],
    queryFn: ({ pageParam, signal }) =>
      answer(
        api.GET('/profiles/{profile_id}/messages', {
          params: { path: { profile_id: id }, query: { before: pageParam, limit: 20 } },
          signal,
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next }) => (next == null ? undefined : String(next)),
    refetchInterval: RENEW_MS,
  })
}
