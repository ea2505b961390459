/** Things that settings name: what a field's `x-source` may ask for. */
import { useQuery } from '@tanstack/react-query'
import { answer, api, type Shapes } from './client'
import type { Page } from './page'

export type Field = Shapes['FieldShape']
type Named = {
  id: number
  name: string
  channel?: string
  short_name?: string
  channels?: string[]
  database_id?: number
  kind?: string
}
type Read = (after: number | undefined, signal: AbortSignal) => Promise<Page<Named>>

const LIMIT = 200
/** More things of a kind than this are not offered in a list of choices. */
const MOST_PAGES = 10
const FRESH_MS = 30_000

const params = (after: number | undefined) => ({ query: { after, limit: LIMIT } })
const SOURCES: Record<string, Read> = {
  database: (after, signal) => answer(api.GET('/databases', { params: params(after), signal })),
  resource: (after, signal) => answer(api.GET('/resources', { params: params(after), signal })),
  template: (after, signal) => answer(api.GET('/templates', { params: params(after), signal })),
  segment: (after, signal) => answer(api.GET('/segments', { params: params(after), signal })),
  scenario: (after, signal) => answer(api.GET('/scenarios', { params: params(after), signal })),
  relation_type: (after, signal) => answer(api.GET('/relation-types', { params: params(after), signal })),
  external_table: (after, signal) => answer(api.GET('/external-tables', { params: params(after), signal })),
  promo_pool: (after, signal) => answer(api.GET('/promo-pools', { params: params(after), signal })),
}
/** Whether things of a kind can be listed to choose from. */
export const canBeListed = (kind: string) => kind in SOURCES
const NOTHING: Named[] = []

async function everything<T>(read: (after: number | undefined) => Promise<Page<T>>): Promise<T[]> {
  const found: T[] = []
  let after: number | undefined
  for (let page = 0; page < MOST_PAGES; page++) {
    const { items, next } = await read(after)
    found.push(...items)
    if (next == null) break
    after = Number(next)
  }
  return found
}

export function useDatabases() {
  return useQuery({
    queryKey: ['databases'],
    queryFn: ({ signal }) => everything((after) => answer(api.GET('/databases', { params: params(after), signal }))),
    staleTime: FRESH_MS,
  })
}

/** Everything of a kind, of one channel if asked. A kind that we do not know gives an empty list. */
export function useNamed(kind: string | undefined, channel?: string) {
  const read = SOURCES[kind ?? '']
  const query = useQuery({
    queryKey: ['named', kind],
    queryFn: ({ signal }) => everything((after) => read!(after, signal)),
    enabled: read !== undefined,
    staleTime: FRESH_MS,
  })
  const items = query.data ?? NOTHING
  return { ...query, items: channel ? items.filter((item) => !item.channel || item.channel === channel) : items }
}
