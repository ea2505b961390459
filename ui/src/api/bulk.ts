import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { answer, api, ApiError, type Shapes } from './client'
import { byNumber } from './page'

export type Audience = Shapes['Audience']
/* What has a default may be left out, which the generated types do not know. */
export type Changes = Partial<Shapes['Changes']>
export type ExportOrder = Shapes['ExportArguments']
export type BulkTask = Shapes['TaskShape']

const RENEW_MS = 2_000

export const isRunning = (task: BulkTask | undefined) => task?.state === 'waiting' || task?.state === 'running'

export const startExport = (order: ExportOrder) => answer(api.POST('/exports', { body: order }))
export const exportAddress = (id: number) => `/api/v2/exports/${id}/file`

/** Exports, newest first; looked at again while one of them is on its way. */
export function useExports() {
  return useInfiniteQuery({
    queryKey: ['exports'],
    queryFn: ({ pageParam, signal }) =>
      answer(api.GET('/exports', { params: { query: { after: pageParam, limit: 50 } }, signal })),
    ...byNumber,
    refetchInterval: ({ state }) =>
      state.data?.pages.some((page) => page.items.some((task) => isRunning(task))) ? RENEW_MS : false,
  })
}

export const startBulkUpdate = (audience: Audience, changes: Changes) =>
  answer(api.POST('/bulk-updates', { body: { audience, changes: changes as Shapes['Changes'] } }))

/** How many an audience has; null if counting takes too long. */
export function useAudienceCount(audience: Audience) {
  return useQuery({
    queryKey: ['audience-count', audience],
    queryFn: ({ signal }) => answer(api.POST('/audiences/count', { body: audience, signal })),
    staleTime: 0,
  })
}

export function useBulkTask(id: number) {
  return useQuery({
    queryKey: ['task', id],
    queryFn: ({ signal }) => answer(api.GET('/tasks/{task_id}', { params: { path: { task_id: id } }, signal })),
    refetchInterval: ({ state }) => (!isRunning(state.data) || state.error instanceof ApiError ? false : RENEW_MS),
  })
}
