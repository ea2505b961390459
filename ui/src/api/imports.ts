import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { address, ApiError, call } from './client'
import type { Page } from './page'

export type Task = {
  id: number
  kind: string
  title: string
  state: 'waiting' | 'running' | 'completed' | 'failed' | 'cancelled'
  done: number
  total: number | null
  error: string | null
  result: { created?: number; updated?: number; unchanged?: number; rejected?: number } | null
}

export type Rejection = { line: number; field: string | null; reason: string; row_text: string | null }

export const isOver = (task: Task | undefined) => !!task && !['waiting', 'running'].includes(task.state)

export function startImport(file: File, database: number, resource: number | null): Promise<Task> {
  const form = new FormData()
  form.set('database', String(database))
  if (resource !== null) form.set('resource', String(resource))
  form.set('file', file)
  return call<Task>('POST', '/imports', { body: form })
}

export const cancelTask = (id: number) => call<Task>('POST', `/tasks/${id}/cancel`)
export const taskStream = (id: number) => address(`/tasks/${id}/stream`)

export function useTask(id: number | null) {
  return useQuery({
    queryKey: ['task', id],
    queryFn: ({ signal }) => call<Task>('GET', `/tasks/${id}`, { signal }),
    enabled: id !== null,
    /* The stream is quicker; this is for when it cannot be held. */
    refetchInterval: ({ state }) => (isOver(state.data) || state.error instanceof ApiError ? false : 3_000),
  })
}

export function useRejections(id: number | null, enabled: boolean) {
  return useInfiniteQuery({
    queryKey: ['rejections', id],
    queryFn: ({ pageParam, signal }) =>
      call<Page<Rejection>>('GET', `/tasks/${id}/rejections`, { query: { after: pageParam, limit: 100 }, signal }),
    initialPageParam: null as string | number | null,
    getNextPageParam: (page) => page.next,
    enabled: enabled && id !== null,
  })
}
