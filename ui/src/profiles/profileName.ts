/** Fields that most databases fill, by their names in the API. */
const text = (value: unknown) => (typeof value === 'string' ? value.trim() : '')

export const nameOf = (fields: Record<string, unknown>) => `${text(fields._fname)} ${text(fields._lname)}`.trim()
export const emailOf = (fields: Record<string, unknown>) => text(fields.email)
export const phoneOf = (fields: Record<string, unknown>) =>
  Array.isArray(fields.phones) ? text(fields.phones[0]) : text(fields.phones)
