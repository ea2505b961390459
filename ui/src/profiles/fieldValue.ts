import type { TFunction } from 'i18next'
import { day } from '../format/dates'

/** A value of a field as text. */
export function shownValue(value: unknown, type: string | undefined, t: TFunction): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'boolean') return t(value ? 'form.yes' : 'form.no')
  if (type === 'date' && typeof value === 'string') return day(value)
  if (type === 'sex') return t(`form.sexes.${String(value)}`)
  if (type === 'status') return t(`subscription.${String(value)}`)
  if (Array.isArray(value)) return value.map((one) => shownValue(one, type, t)).join(', ')
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
