import type { ProfileField } from '../api/databases'

export type FieldGroup = 'personal' | 'contact' | 'own' | 'registration' | 'other'
const GROUPS: Record<string, FieldGroup> = {
  _fname: 'personal',
  _lname: 'personal',
  _bdate: 'personal',
  _sex: 'personal',
  email: 'contact',
  phones: 'contact',
  _city: 'contact',
  _region: 'contact',
  _country: 'contact',
  _postal_code: 'contact',
  _tz: 'contact',
}
const ORDER: FieldGroup[] = ['personal', 'contact', 'own', 'registration', 'other']

const groupOf = ({ name, custom }: ProfileField): FieldGroup =>
  custom ? 'own' : (GROUPS[name] ?? (name.startsWith('_reg') ? 'registration' : 'other'))

/** Fields as forms and cards show them; hidden ones are left out. */
export function grouped(fields: ProfileField[]): { group: FieldGroup; fields: ProfileField[] }[] {
  const shown = fields.filter((field) => !field.hidden)
  return ORDER.map((group) => ({ group, fields: shown.filter((field) => groupOf(field) === group) })).filter(
    (part) => part.fields.length > 0,
  )
}
