import { keepPreviousData, useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query'
import type { Language } from '../i18n'
import { answer, api, type Shapes } from './client'
import { byNumber } from './page'

export type Segment = Shapes['SegmentShape']
export type Kind = Segment['kind']
export type Question = Partial<Shapes['QuestionShape']> & { database_id: number }
export type Count = Shapes['CountShape']
export type Reached = Shapes['ReachShape']
export type Found = Shapes['FoundShape']
export type Draft = {
  name: string
  description: string
  rules: Record<string, unknown> | null
  sample: { start: number; end: number; group: string } | null
  most: number | null
  schedule: { every_minutes?: number; daily_at?: string } | null
  tags: string[]
}

const RENEW_MS = 5_000

export function useSegments(search: string, kind: Kind | undefined, language: Language) {
  return useInfiniteQuery({
    queryKey: ['segments', search, kind, language],
    queryFn: ({ pageParam, signal }) =>
      answer(
        api.GET('/segments', { params: { query: { search, kind, language, after: pageParam, limit: 50 } }, signal }),
      ),
    ...byNumber,
    placeholderData: keepPreviousData,
    refetchInterval: RENEW_MS,
  })
}

export function useSegment(id: number | undefined) {
  return useQuery({
    queryKey: ['segment', id],
    queryFn: ({ signal }) =>
      answer(api.GET('/segments/{segment_id}', { params: { path: { segment_id: id! } }, signal })),
    enabled: id !== undefined,
    refetchInterval: RENEW_MS,
  })
}

export const getSegment = (id: number) =>
  answer(api.GET('/segments/{segment_id}', { params: { path: { segment_id: id } } }))

export function useForgetSegments() {
  const client = useQueryClient()
  return () =>
    Promise.all(
      [['segments'], ['segment'], ['named', 'segment']].map((queryKey) => client.invalidateQueries({ queryKey })),
    )
}

export const createSegment = (database_id: number, kind: Kind, draft: Draft) =>
  answer(api.POST('/segments', { body: { ...draft, database_id, kind } as Shapes['NewSegment'] }))

export const changeSegment = (id: number, revision: number, draft: Draft) =>
  answer(
    api.PUT('/segments/{segment_id}', {
      params: { path: { segment_id: id } },
      body: { ...draft, revision } as Shapes['ChangedSegment'],
    }),
  )

export const deleteSegment = (id: number) =>
  answer(api.DELETE('/segments/{segment_id}', { params: { path: { segment_id: id } } }))

export const calculateSegment = (id: number) =>
  answer(api.POST('/segments/{segment_id}/calculate', { params: { path: { segment_id: id } } }))

/** How many fit now; asked anew when the question changes, the old answer stays until then. */
export function useCount(question: Question, language: Language, enabled: boolean) {
  return useQuery({
    queryKey: ['segment-count', question, language],
    queryFn: ({ signal }) =>
      answer(
        api.POST('/segments/count', {
          params: { query: { language } },
          body: question as Shapes['QuestionShape'],
          signal,
        }),
      ),
    enabled,
    placeholderData: keepPreviousData,
    retry: false,
    staleTime: 10_000,
  })
}

export function usePreview(question: Question, enabled: boolean) {
  return useQuery({
    queryKey: ['segment-preview', question],
    queryFn: ({ signal }) =>
      answer(api.POST('/segments/preview', { body: question as Shapes['QuestionShape'], signal })),
    enabled,
    placeholderData: keepPreviousData,
    retry: false,
    staleTime: 10_000,
  })
}

export function useMembers(id: number) {
  return useInfiniteQuery({
    queryKey: ['segment', id, 'members'],
    queryFn: ({ pageParam, signal }) =>
      answer(
        api.GET('/segments/{segment_id}/members', {
          params: { path: { segment_id: id }, query: { after: pageParam, limit: 50 } },
          signal,
        }),
      ),
    ...byNumber,
  })
}

export const removeMember = (id: number, profile: string) =>
  answer(
    api.POST('/segments/{segment_id}/members/remove', {
      params: { path: { segment_id: id } },
      body: { profiles: [profile] },
    }),
  )

export const addMembers = (id: number, profiles: string[]) =>
  answer(api.POST('/segments/{segment_id}/members', { params: { path: { segment_id: id } }, body: { profiles } }))

export function useDays(id: number) {
  return useQuery({
    queryKey: ['segment', id, 'days'],
    queryFn: ({ signal }) =>
      answer(api.GET('/segments/{segment_id}/days', { params: { path: { segment_id: id } }, signal })),
  })
}

export function useUsage(id: number) {
  return useQuery({
    queryKey: ['segment', id, 'usage'],
    queryFn: ({ signal }) =>
      answer(api.GET('/segments/{segment_id}/usage', { params: { path: { segment_id: id } }, signal })),
  })
}
