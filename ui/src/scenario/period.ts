import type { Period } from '../api/scenarios'

export const PERIODS = ['all', 'today', 'week', 'month', 'quarter'] as const
export type PeriodName = (typeof PERIODS)[number]

const DAYS: Record<PeriodName, number | null> = { all: null, today: 1, week: 7, month: 30, quarter: 90 }

/** From midnight so many days ago (today counts as one) until now; figures are kept by the hour. */
export function periodOf(name: PeriodName, today: Date): Period {
  const days = DAYS[name]
  if (days === null) return {}
  const from = new Date(today)
  from.setHours(0, 0, 0, 0)
  from.setDate(from.getDate() - (days - 1))
  return { from: from.toISOString() }
}
