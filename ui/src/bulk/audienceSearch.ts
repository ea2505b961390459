import type { Audience } from '../api/bulk'

/** How other pages hand over whom they mean: in the address, so that it can be kept and shared. */
export type AudienceSearch = { database?: number; segment?: number; profiles?: string; rules?: string }

const text = (value: unknown) => (typeof value === 'string' && value ? value : undefined)
const id = (value: unknown) => (Number.isSafeInteger(Number(value)) && Number(value) > 0 ? Number(value) : undefined)

export const readAudienceSearch = (search: Record<string, unknown>): AudienceSearch => ({
  database: id(search.database),
  segment: id(search.segment),
  profiles: text(search.profiles),
  rules: typeof search.rules === 'object' && search.rules ? JSON.stringify(search.rules) : text(search.rules),
})

/** The audience that an address speaks of, if it names a database. */
export function startAudience({ database, segment, profiles, rules }: AudienceSearch): Audience | undefined {
  if (database === undefined) return undefined
  return {
    database_id: database,
    segment_id: segment,
    profiles: profiles?.split(','),
    rules: rules ? parsed(rules) : undefined,
  }
}

function parsed(rules: string): Record<string, unknown> | undefined {
  try {
    const tree: unknown = JSON.parse(rules)
    return typeof tree === 'object' && tree !== null ? (tree as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
