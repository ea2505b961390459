import { useState } from 'react'
import type { Database } from '../api/databases'

const FIRST = ['email', 'phones', '_city', '_status']
const keyOf = (database: number) => `sojourn.columns.${database}`

function kept(database: number): string[] {
  try {
    const names: unknown = JSON.parse(localStorage.getItem(keyOf(database)) ?? 'null')
    return Array.isArray(names) ? names.map(String) : FIRST
  } catch {
    return FIRST
  }
}

/** The columns that this user wants to see of a database, kept in the browser. */
export function useColumns(database: Database): [string[], (names: string[]) => void] {
  const [names, setNames] = useState(() => kept(database.id))
  const keep = (next: string[]) => {
    localStorage.setItem(keyOf(database.id), JSON.stringify(next))
    setNames(next)
  }
  return [names.filter((name) => database.fields.some((field) => field.name === name)), keep]
}
