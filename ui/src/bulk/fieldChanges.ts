/** A row of the list of changes, as the form keeps it. */
export type FieldChange = { field?: string; operation: string; value?: unknown }

/** The same as the API takes it: a plain value, or an action. Rows that are not finished are left out. */
export function asFields(changes: FieldChange[]): Record<string, unknown> {
  const finished = changes.filter(
    ({ field, operation, value }) => field && (operation === 'clear' || value !== undefined),
  )
  return Object.fromEntries(finished.map((change) => [change.field, action(change)]))
}

function action({ operation, value }: FieldChange): unknown {
  switch (operation) {
    case 'clear':
      return { action: 'unset' }
    case 'increase':
      return { action: 'incr', value }
    case 'decrease':
      return { action: 'incr', value: -Number(value) }
    case 'add_tags':
      return { action: 'add', value }
    case 'remove_tags':
      return { action: 'delete', value }
    default:
      return value
  }
}
