import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { address, answer, api, ApiError, type Shapes } from './client'
import { byNumber } from './page'

export type Reason = { field: string | null; column: string | null; reason: string; count: number }
export type Counts = Partial<
  Record<
    'total' | 'created' | 'updated' | 'unchanged' | 'skipped' | 'rejected' | 'repeated' | 'several' | 'left_out',
    number
  >
> & { reasons?: Reason[] }
export type Task = Omit<Shapes['TaskShape'], 'result'> & { result: Counts | null }
export type Import = Omit<Shapes['ImportShape'], 'result'> & { result: Counts | null }
export type Uploaded = Shapes['UploadedFile']
export type Target = Shapes['ColumnTarget']
export type ColumnPreview = Shapes['ColumnPreviewShape']
export type Preview = Shapes['ImportPreviewShape']
export type Reading = Shapes['ReadingArguments']
/* What has a default may be left out, which the generated types do not know. */
export type Options = Partial<Omit<Shapes['ImportOptions'], 'subscriptions'>> & { subscriptions?: Subscription[] }
export type Subscription = Omit<Shapes['ImportSubscription'], 'channel'> & { channel: string }
export type PreviewOrder = {
  database: number
  files: { key: string; name: string }[]
  reading: Reading
  options: Options
}
export type ImportOrder = PreviewOrder & { test_run?: boolean; new_segment?: string }

export const isOver = (task: { state: string } | undefined) => !!task && !['waiting', 'running'].includes(task.state)

/** A file, or rows out of the clipboard. */
export function uploadFile(content: File | string): Promise<Uploaded> {
  const form = new FormData()
  if (typeof content === 'string') form.set('text', content)
  else form.set('file', content)
  return answer(api.POST('/imports/files', { body: form as never, bodySerializer: (body) => body as never }))
}

/** What files hold; without a mapping the targets of the columns are guessed. */
export function usePreview(order: PreviewOrder | null) {
  return useQuery({
    queryKey: ['import-preview', order],
    queryFn: ({ signal }) => answer(api.POST('/imports/preview', { body: order as never, signal })),
    enabled: order !== null,
    placeholderData: keepPreviousData,
    retry: false,
    staleTime: Infinity,
  })
}

export const startImport = (order: ImportOrder) => answer(api.POST('/imports', { body: order as never }))
export const cancelTask = (id: number) =>
  answer(api.POST('/tasks/{task_id}/cancel', { params: { path: { task_id: id } } }))
export const taskStream = (id: number) => address(`/tasks/${id}/stream`)
export const rejectedAddress = (id: number) => address(`/imports/${id}/rejected.csv`)

const RENEW_MS = 3_000

/** An import or a test run. */
export function useImport(id: number | null) {
  return useQuery({
    queryKey: ['import', id],
    queryFn: async ({ signal }) =>
      (await answer(api.GET('/imports/{task_id}', { params: { path: { task_id: id! } }, signal }))) as Import,
    enabled: id !== null,
    /* The stream is quicker; this is for when it cannot be held. */
    refetchInterval: ({ state }) => (isOver(state.data) || state.error instanceof ApiError ? false : RENEW_MS),
  })
}

/** Imports, newest first; looked at again while one of them is on its way. */
export function useImports() {
  return useInfiniteQuery({
    queryKey: ['imports'],
    queryFn: async ({ pageParam, signal }) => {
      const page = await answer(api.GET('/imports', { params: { query: { after: pageParam, limit: 50 } }, signal }))
      return { ...page, items: page.items as Import[] }
    },
    ...byNumber,
    refetchInterval: ({ state }) =>
      state.data?.pages.some((page) => page.items.some((task) => !isOver(task))) ? RENEW_MS : false,
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
