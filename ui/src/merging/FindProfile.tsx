import { TextInput } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useFound } from '../api/merging'
import type { ProfileRow } from '../api/profiles'
import { emailOf, nameOf, phoneOf } from '../profiles/profileName'

export const called = (fields: ProfileRow['fields'], id: string) =>
  [nameOf(fields), emailOf(fields) ?? phoneOf(fields)].filter(Boolean).join(' · ') || id

type Props = { database: number; without: string; onChoose: (profile: ProfileRow) => void }

/** Finds another profile by a contact, and hands it over. */
export function FindProfile({ database, without, onChoose }: Props) {
  const { t } = useTranslation()
  const [search, setSearch] = useState('')
  const found = useFound(database, search)
  const rows = found.data?.items ?? []
  return (
    <div>
      <TextInput
        label={t('area.merging.find')}
        description={t('area.merging.findHint')}
        data-autofocus
        value={search}
        onChange={(event) => setSearch(event.currentTarget.value)}
      />
      <div role="list" style={{ marginTop: 8 }}>
        {found.isSuccess && rows.length === 0 && (
          <p style={{ margin: 0, color: 'var(--ink2)' }}>{t('area.merging.nobody')}</p>
        )}
        {rows.map((row) => (
          <div role="listitem" key={row.id}>
            <button
              type="button"
              className="person-line"
              style={{ width: '100%', textAlign: 'left' }}
              disabled={row.id === without}
              onClick={() => onChoose(row)}
            >
              {called(row.fields, row.id)} {row.id === without && <small>({t('area.merging.self')})</small>}
            </button>
          </div>
        ))}
      </div>
    </div>
  )
}
