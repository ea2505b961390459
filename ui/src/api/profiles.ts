import { keepPreviousData, useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query'
import { answer, api, type Shapes } from './client'
import { byNumber } from './page'

export type ProfileRow = Shapes['ProfileShape']
export type Profile = Shapes['FullProfile']
export type Subscription = Shapes['SubscriptionShape']
export type Passage = Shapes['PassageShape']
export type Step = Shapes['StepShape']
export type SentMessage = Shapes['sojourn__web__api__profiles__MessageShape']

const RENEW_MS = 10_000

export type Narrowing = { search: string; segment?: number; rules?: string }
export type Group = Shapes['HappeningShape']['group']
export type Happening = Shapes['HappeningShape']

export function useProfiles(database: number | undefined, { search, segment, rules }: Narrowing) {
  return useInfiniteQuery({
    queryKey: ['profiles', database, search, segment, rules],
    queryFn: ({ pageParam, signal }) =>
      answer(
        api.GET('/profiles', {
          params: { query: { database: database!, search, segment, rules, after: pageParam, limit: 100 } },
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

export function useHistory(id: string, groups: Group[]) {
  return useInfiniteQuery({
    queryKey: ['profile', id, 'history', groups],
    queryFn: ({ pageParam, signal }) =>
      answer(
        api.GET('/profiles/{profile_id}/history', {
          params: { path: { profile_id: id }, query: { group: groups, after: pageParam, limit: 50 } },
          signal,
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next }) => next ?? undefined,
  })
}

export function useMemberships(id: string) {
  return useQuery({
    queryKey: ['profile', id, 'segments'],
    queryFn: ({ signal }) =>
      answer(api.GET('/profiles/{profile_id}/segments', { params: { path: { profile_id: id } }, signal })),
  })
}

/** Everything read of profiles is out of date. */
export function useForgetProfiles() {
  const client = useQueryClient()
  return () =>
    Promise.all([['profile'], ['profiles'], ['databases']].map((queryKey) => client.invalidateQueries({ queryKey })))
}

type Values = Record<string, unknown>

export const createProfile = (database: number, fields: Values, skip_triggers: boolean) =>
  answer(api.POST('/profiles', { body: { database, fields, subscriptions: [], skip_triggers } }))

export const changeProfile = (id: string, fields: Values, skip_triggers: boolean) =>
  answer(api.PATCH('/profiles/{profile_id}', { params: { path: { profile_id: id } }, body: { fields, skip_triggers } }))

export const deleteProfile = (id: string) =>
  answer(api.DELETE('/profiles/{profile_id}', { params: { path: { profile_id: id } } }))

export const addSubscription = (id: string, body: Shapes['SubscriptionOrder']) =>
  answer(api.POST('/profiles/{profile_id}/subscriptions', { params: { path: { profile_id: id } }, body }))

export const changeSubscription = (id: string, subscription: number, status: string, suspended_until?: string) =>
  answer(
    api.PATCH('/profiles/{profile_id}/subscriptions/{subscription_id}', {
      params: { path: { profile_id: id, subscription_id: subscription } },
      body: { status, suspended_until },
    }),
  )

const own = (profile_id: string, subscription_id: number) => ({ params: { path: { profile_id, subscription_id } } })

export const deleteSubscription = (id: string, subscription: number) =>
  answer(api.DELETE('/profiles/{profile_id}/subscriptions/{subscription_id}', own(id, subscription)))

export const restoreSubscription = (id: string, subscription: number) =>
  answer(api.POST('/profiles/{profile_id}/subscriptions/{subscription_id}/restore', own(id, subscription)))
