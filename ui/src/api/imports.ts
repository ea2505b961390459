import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { address, answer, api, ApiError, type Shapes } from './client'
import { byNumber } from './page'

export type Task = Omit<Shapes['TaskShape'], 'result'> & {
  result: { created?: number; updated?: number; unchanged?: number; rejected?: number } | null
}

export const isOver = (task: Task | undefined) => !!task && !['waiting', 'running'].includes(task.state)

/** `status`: of the subscriptions to `resource`; `unconfirmed` begins a double opt-in. */
export function startImport(file: File, database: number, resource: number | null, status: string | null) {
  const form = new FormData()
  form.set('database', String(database))
  if (resource !== null) {
    form.set('resource', String(resource))
    form.set('options', JSON.stringify({ status }))
  }
  form.set('file', file)
  return answer(api.POST('/imports', { body: form as never, bodySerializer: (body) => body as never }))
}

export const cancelTask = (id: number) =>
  answer(api.POST('/tasks/{task_id}/cancel', { params: { path: { task_id: id } } }))
export const taskStream = (id: number) => address(`/tasks/${id}/stream`)

export function useTask(id: number) {
  return useQuery({
    queryKey: ['task', id],
    queryFn: async ({ signal }) =>
      (await answer(api.GET('/tasks/{task_id}', { params: { path: { task_id: id } }, signal }))) as Task,
    /* The stream is quicker; this is for when it cannot be held. */
    refetchInterval: ({ state }) => (isOver(state.data) || state.error instanceof ApiError ? false : 3_000),
  })
}

export function useRejections(id: number) {
  return useInfiniteQuery({
    queryKey: ['rejections', id],
    queryFn: ({ pageParam, signal }) =>
      answer(
        api.GET('/tasks/{task_id}/rejections', {
          params: { path: { task_id: id }, query: { after: pageParam, limit: 100 } },
          signal,
        }),
      ),
    ...byNumber,
  })
}
