/** Things that settings name: what a field's `x-source` may ask for. */
import { useQuery } from '@tanstack/react-query'
import { call } from './client'
import type { Page } from './page'

export type Field = {
  name: string
  title: string
  type: string
  options?: string[] | null
  custom?: boolean
  hidden?: boolean
}
export type Database = { id: number; name: string; fields: Field[] }
type Named = { id: number; name: string; channel?: string | number | null; short_name?: string }
export type Choice = { value: string; label: string }

const PATHS: Record<string, string> = {
  database: '/databases',
  resource: '/resources',
  template: '/templates',
  promo_pool: '/promo-pools',
}

const NO_CHOICES: Named[] = []

export function useDatabases() {
  return useQuery({
    queryKey: ['databases'],
    queryFn: ({ signal }) => call<Page<Database>>('GET', '/databases', { query: { limit: 500 }, signal }),
    select: (page) => page.items,
    staleTime: 30_000,
  })
}

/** Everything of a kind. A kind that we do not know gives an empty list. */
export function useNamed(kind: string | undefined, channel?: string) {
  const path = PATHS[kind ?? '']
  const query = useQuery({
    queryKey: ['named', kind],
    queryFn: ({ signal }) => call<Page<Named>>('GET', path!, { query: { limit: 500 }, signal }),
    select: (page) => page.items,
    enabled: path !== undefined,
    staleTime: 30_000,
  })
  const items = query.data ?? NO_CHOICES
  return { ...query, items: channel ? items.filter((item) => fits(item, channel)) : items }
}

const CHANNELS: Record<string, number> = { email: 1, sms: 2, push: 3, telegram: 4, whatsapp: 5, viber: 6, notify: 7 }
const fits = (item: Named, channel: string) =>
  item.channel == null || item.channel === channel || item.channel === CHANNELS[channel]
