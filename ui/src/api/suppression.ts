import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query'
import { answer, api, type Shapes } from './client'
import { byNumber } from './page'

export type SuppressionList = Shapes['SuppressionListShape']
export type Entry = Shapes['SuppressedShape']

export function useSuppressionLists() {
  return useInfiniteQuery({
    queryKey: ['suppression-lists'],
    queryFn: ({ pageParam, signal }) =>
      answer(api.GET('/suppression-lists', { params: { query: { after: pageParam, limit: 50 } }, signal })),
    ...byNumber,
  })
}

export function useSuppressionList(id: number) {
  return useQuery({
    queryKey: ['suppression-list', id],
    queryFn: ({ signal }) =>
      answer(api.GET('/suppression-lists/{list_id}', { params: { path: { list_id: id } }, signal })),
  })
}

export function useEntries(id: number, search: string) {
  return useInfiniteQuery({
    queryKey: ['suppression-list', id, 'entries', search],
    queryFn: ({ pageParam, signal }) =>
      answer(
        api.GET('/suppression-lists/{list_id}/entries', {
          params: { path: { list_id: id }, query: { search, after: pageParam, limit: 100 } },
          signal,
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page: { next?: string | null }) => page.next ?? undefined,
  })
}

export function useForgetSuppression() {
  const client = useQueryClient()
  return () =>
    Promise.all([['suppression-lists'], ['suppression-list']].map((queryKey) => client.invalidateQueries({ queryKey })))
}

export const createList = (name: string) => answer(api.POST('/suppression-lists', { body: { name, description: '' } }))

export const changeList = (id: number, body: { name: string; description: string; database_ids: number[] }) =>
  answer(api.PUT('/suppression-lists/{list_id}', { params: { path: { list_id: id } }, body }))

export const deleteList = (id: number) =>
  answer(api.DELETE('/suppression-lists/{list_id}', { params: { path: { list_id: id } } }))

export const addEntries = (id: number, values: string[]) =>
  answer(api.POST('/suppression-lists/{list_id}/entries', { params: { path: { list_id: id } }, body: { values } }))

export const removeEntries = (id: number, values: string[]) =>
  answer(
    api.POST('/suppression-lists/{list_id}/entries/remove', { params: { path: { list_id: id } }, body: { values } }),
  )

export const listAddress = (id: number) => `/api/v2/suppression-lists/${id}/export`
