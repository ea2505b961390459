import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { call } from './client'
import type { Page } from './page'

export type ProfileRow = {
  id: string
  database: number
  status: string | null
  created_at: string
  fields: Record<string, unknown>
}

export type Subscription = {
  id: number
  resource_id: number
  resource_name: string
  channel: string
  contact: string
  status: string
  effective: string
  confirmed_at: string | null
  created_at: string
}

export type Profile = ProfileRow & { database_name: string; updated_at: string; subscriptions: Subscription[] }

export type Step = {
  hop: number
  node_id: number
  title: string
  type: string
  output: string
  at: string
  type_title?: string
  icon?: string
  category?: string
  output_title?: string
  output_tone?: string
}

export type Passage = {
  passage_id: number
  scenario_id: number
  scenario_name: string
  version_number: number
  entered_at: string
  ended_at: string | null
  reason: string | null
  failure: string | null
  node_id: number
  node_title: string
  due_at: string | null
  steps: Step[]
}

export type SentMessage = {
  passage_id: number
  hop: number
  channel: string
  template_name: string | null
  scenario_name: string | null
  contact: string | null
  state: string
  reason: string | null
  created_at: string
  handed_at: string | null
  opened_at: string | null
  clicked_at: string | null
}

export function useProfiles(database: number | undefined, search: string) {
  return useInfiniteQuery({
    queryKey: ['profiles', database, search],
    queryFn: ({ pageParam, signal }) =>
      call<Page<ProfileRow>>('GET', '/profiles', { query: { database, search, after: pageParam, limit: 100 }, signal }),
    initialPageParam: null as string | number | null,
    getNextPageParam: (page) => page.next,
    enabled: database !== undefined,
    placeholderData: keepPreviousData,
  })
}

export function useProfile(id: string) {
  return useQuery({
    queryKey: ['profile', id],
    queryFn: ({ signal }) => call<Profile>('GET', `/profiles/${encodeURIComponent(id)}`, { signal }),
    refetchInterval: 10_000,
  })
}

export const usePassages = (id: string, language: string) => useParts<Passage>(id, 'passages', language)
export const useMessages = (id: string) => useParts<SentMessage>(id, 'messages')

function useParts<T>(id: string, part: string, language?: string) {
  return useInfiniteQuery({
    queryKey: ['profile', id, part, language],
    queryFn: ({ pageParam, signal }) =>
      call<Page<T>>('GET', `/profiles/${encodeURIComponent(id)}/${part}`, {
        query: { before: pageParam, language, limit: 20 },
        signal,
      }),
    initialPageParam: null as string | number | null,
    getNextPageParam: (page) => page.next,
    refetchInterval: 10_000,
  })
}
