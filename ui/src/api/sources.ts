import { useQuery, useQueryClient } from '@tanstack/react-query'
import { answer, api, type Shapes } from './client'
import type { JsonSchema } from './scenarios'

export type Connection = Shapes['ConnectionShape']
export type ConnectionKind = Omit<Shapes['ConnectionKindShape'], 'settings' | 'secret'> & {
  settings: JsonSchema
  secret: JsonSchema
}
export type Plan = Shapes['PlanShape']
export type Run = Shapes['RunShape']
export type PlanPreview = Shapes['PlanPreview']
export type Schedule = Shapes['PlanSchedule']
export type ExternalTable = Shapes['ExternalTableShape']

const RENEW_MS = 3_000
const page = { query: { limit: 500 } }

export function useForgetSources() {
  const client = useQueryClient()
  return () =>
    Promise.all(
      [['connections'], ['import-plans'], ['import-plan'], ['external-tables'], ['named', 'external_table']].map(
        (queryKey) => client.invalidateQueries({ queryKey }),
      ),
    )
}

export function useConnectionKinds() {
  return useQuery({
    queryKey: ['connection-kinds'],
    queryFn: async ({ signal }) => (await answer(api.GET('/connection-kinds', { signal }))) as ConnectionKind[],
    staleTime: Infinity,
  })
}

export function useConnections() {
  return useQuery({
    queryKey: ['connections'],
    queryFn: ({ signal }) => answer(api.GET('/connections', { params: page, signal })),
  })
}

export const createConnection = (body: Shapes['NewConnection']) => answer(api.POST('/connections', { body }))
export const changeConnection = (connection_id: number, body: Shapes['ChangedConnection']) =>
  answer(api.PUT('/connections/{connection_id}', { params: { path: { connection_id } }, body }))
export const deleteConnection = (connection_id: number) =>
  answer(api.DELETE('/connections/{connection_id}', { params: { path: { connection_id } } }))
export const testConnection = (connection_id: number) =>
  answer(api.POST('/connections/{connection_id}/test', { params: { path: { connection_id } } }))

export function usePlans() {
  return useQuery({
    queryKey: ['import-plans'],
    queryFn: ({ signal }) => answer(api.GET('/import-plans', { params: page, signal })),
    refetchInterval: RENEW_MS,
  })
}

export function usePlan(id: number | undefined) {
  return useQuery({
    queryKey: ['import-plan', id],
    enabled: id !== undefined,
    queryFn: ({ signal }) => answer(api.GET('/import-plans/{plan_id}', { params: { path: { plan_id: id! } }, signal })),
  })
}

export function useRuns(id: number) {
  return useQuery({
    queryKey: ['import-plan', id, 'runs'],
    queryFn: ({ signal }) =>
      answer(
        api.GET('/import-plans/{plan_id}/runs', { params: { path: { plan_id: id }, query: { limit: 50 } }, signal }),
      ),
    refetchInterval: RENEW_MS,
  })
}

/* What has a default may be left out, which the generated types do not know. */
export type PlanOrder = {
  name: string
  database_id: number
  connection_id: number
  source: {
    kind: 'query' | 'table' | 'files'
    query?: string
    table?: string
    mask?: string
    after?: string
    folder?: string
  }
  options: Record<string, unknown>
  schedule: Record<string, unknown>
  time_zone: string
  cursor_column: string | null
  cursor_start: string | null
  active: boolean
}

export const createPlan = (body: PlanOrder) => answer(api.POST('/import-plans', { body: body as never }))
export const changePlan = (plan_id: number, body: PlanOrder & { revision?: number; restart?: boolean }) =>
  answer(api.PUT('/import-plans/{plan_id}', { params: { path: { plan_id } }, body: body as never }))
export const deletePlan = (plan_id: number) =>
  answer(api.DELETE('/import-plans/{plan_id}', { params: { path: { plan_id } } }))
export const runPlan = (plan_id: number) =>
  answer(api.POST('/import-plans/{plan_id}/run-now', { params: { path: { plan_id } } }))
export const previewPlan = (body: PlanOrder) => answer(api.POST('/import-plans/preview', { body: body as never }))

export function useExternalTables() {
  return useQuery({
    queryKey: ['external-tables'],
    queryFn: ({ signal }) => answer(api.GET('/external-tables', { params: page, signal })),
    refetchInterval: RENEW_MS,
  })
}

export type TableOrder = Partial<Shapes['TableDraft']> & {
  name: string
  short_name: string
  kind: ExternalTable['kind']
}
export const createTable = (body: TableOrder) => answer(api.POST('/external-tables', { body: body as never }))
export const changeTable = (table_id: number, body: TableOrder) =>
  answer(api.PUT('/external-tables/{table_id}', { params: { path: { table_id } }, body: body as never }))
export const deleteTable = (table_id: number) =>
  answer(api.DELETE('/external-tables/{table_id}', { params: { path: { table_id } } }))
export const fetchTable = (table_id: number) =>
  answer(api.POST('/external-tables/{table_id}/fetch', { params: { path: { table_id } } }))

export function uploadTable(file: File) {
  const form = new FormData()
  form.set('file', file)
  return answer(api.POST('/external-tables/file', { body: form as never, bodySerializer: (body) => body as never }))
}
