import { Checkbox, VisuallyHidden } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useLayoutEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { ProfileField } from '../api/databases'
import type { ProfileRow } from '../api/profiles'
import { Initials } from '../components/Initials'
import { day } from '../format/dates'
import { settingText } from '../i18n'
import { shownValue } from './fieldValue'
import { emailOf, nameOf, phoneOf } from './profileName'
import { SubscriptionPill } from './SubscriptionPill'

const ROW_HEIGHT = 50
const AHEAD = 15
const scrolled = () => document.querySelector('.shell-page')

type Props = {
  rows: ProfileRow[]
  fields: ProfileField[]
  columns: string[]
  chosen: Set<string>
  onChosen: (chosen: Set<string>) => void
  query: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown }
}

/** As many rows as fit the window are drawn; the next page is asked for when its rows come near. */
export function ProfileTable({ rows, fields, columns, chosen, onChosen, query }: Props) {
  const { t } = useTranslation()
  const body = useRef<HTMLTableSectionElement>(null)
  const [top, setTop] = useState(0)
  useLayoutEffect(() => {
    const page = scrolled()
    if (body.current && page)
      setTop(body.current.getBoundingClientRect().top - page.getBoundingClientRect().top + page.scrollTop)
  }, [])
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: scrolled,
    estimateSize: () => ROW_HEIGHT,
    overscan: AHEAD,
    scrollMargin: top,
  })
  const drawn = virtual.getVirtualItems()
  const last = drawn[drawn.length - 1]?.index ?? 0
  useEffect(() => {
    if (last >= rows.length - AHEAD && query.hasNextPage && !query.isFetchingNextPage) void query.fetchNextPage()
  }, [last, rows.length, query])
  const before = drawn.length ? drawn[0]!.start - top : 0
  const after = drawn.length ? virtual.getTotalSize() - (drawn[drawn.length - 1]!.end - top) : 0
  const width = columns.length + 3
  const all = rows.length > 0 && rows.every((row) => chosen.has(row.id))
  const toggle = (id: string) => {
    const next = new Set(chosen)
    if (!next.delete(id)) next.add(id)
    onChosen(next)
  }
  return (
    <table className="table" aria-rowcount={query.hasNextPage ? -1 : rows.length}>
      <thead>
        <tr>
          <th style={{ width: 44 }}>
            <Checkbox
              size="xs"
              aria-label={t('area.people.chooseAll')}
              checked={all}
              indeterminate={!all && chosen.size > 0}
              onChange={() => onChosen(all ? new Set() : new Set(rows.map((row) => row.id)))}
            />
          </th>
          <th>{t('profiles.name')}</th>
          {columns.map((name) => (
            <th key={name}>{settingText(fields.find((field) => field.name === name)?.title ?? name)}</th>
          ))}
          <th>{t('profiles.created')}</th>
        </tr>
      </thead>
      <tbody ref={body}>
        <Spacer height={before} width={width} />
        {drawn.map(({ index }) => (
          <PersonRow
            key={rows[index]!.id}
            row={rows[index]!}
            fields={fields}
            columns={columns}
            chosen={chosen.has(rows[index]!.id)}
            onToggle={toggle}
          />
        ))}
        <Spacer height={after} width={width} />
      </tbody>
      {query.isFetchingNextPage && (
        <caption style={{ captionSide: 'bottom' }}>
          <VisuallyHidden>{t('loadMore')}</VisuallyHidden>…
        </caption>
      )}
    </table>
  )
}

const Spacer = ({ height, width }: { height: number; width: number }) =>
  height > 0 ? (
    <tr aria-hidden>
      <td colSpan={width} style={{ height, padding: 0, border: 0 }} />
    </tr>
  ) : null

type RowProps = {
  row: ProfileRow
  fields: ProfileField[]
  columns: string[]
  chosen: boolean
  onToggle: (id: string) => void
}

function PersonRow({ row, fields, columns, chosen, onToggle }: RowProps) {
  const { t } = useTranslation()
  const name = nameOf(row.fields)
  const shown = name || emailOf(row.fields) || phoneOf(row.fields) || row.id
  return (
    <tr style={{ height: ROW_HEIGHT }} aria-selected={chosen}>
      <td>
        <Checkbox
          size="xs"
          style={{ position: 'relative', zIndex: 1 }}
          aria-label={t('area.people.choose', { name: shown })}
          checked={chosen}
          onChange={() => onToggle(row.id)}
        />
      </td>
      <td>
        <span style={{ display: 'flex', alignItems: 'center', gap: 10 }}>
          <Initials size={28} name={shown} />
          <Link to="/profiles/$id" params={{ id: row.id }} className="row-link">
            {name || t('profiles.unnamed')}
          </Link>
        </span>
      </td>
      {columns.map((column) => (
        <td key={column} className="cell-clip">
          {column === '_status' ? (
            <SubscriptionPill status={row.status} />
          ) : (
            shownValue(row.fields[column], fields.find((field) => field.name === column)?.type, t)
          )}
        </td>
      ))}
      <td className="soft">{day(row.created_at)}</td>
    </tr>
  )
}
