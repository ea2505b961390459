import { Chip, Group as Row } from '@mantine/core'
import {
  IconAdjustments,
  IconBell,
  IconGift,
  IconMail,
  IconRoute,
  IconUser,
  IconUsersGroup,
  type Icon,
} from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { allItems } from '../api/page'
import { useHistory, type Group, type Happening } from '../api/profiles'
import { MoreButton } from '../components/MoreButton'
import { EmptyState, LoadFailure, Waiting } from '../components/states'
import { momentToTheSecond } from '../format/dates'

const ICONS: Record<Group, Icon> = {
  profile: IconUser,
  subscription: IconBell,
  message: IconMail,
  scenario: IconRoute,
  segment: IconUsersGroup,
  loyalty: IconGift,
  other: IconAdjustments,
}
const GROUPS = Object.keys(ICONS) as Group[]

/** Everything that happened to a person, newest first. */
export function HistoryTab({ id, titleOf }: { id: string; titleOf: (field: string) => string }) {
  const { t } = useTranslation()
  const [groups, setGroups] = useState<Group[]>([])
  const history = useHistory(id, groups)
  const items = allItems(history.data?.pages)
  return (
    <section className="panel padded" aria-label={t('area.people.history')}>
      <Chip.Group multiple value={groups} onChange={(next) => setGroups(next as Group[])}>
        <Row gap={6} mb="md">
          {GROUPS.map((group) => (
            <Chip key={group} value={group} size="xs" variant="light">
              {t(`area.people.historyGroups.${group}`)}
            </Chip>
          ))}
        </Row>
      </Chip.Group>
      {history.isPending && <Waiting rows={5} />}
      {history.isError && <LoadFailure error={history.error} retry={history.refetch} />}
      {history.isSuccess && !items.length && <EmptyState title={t('area.people.noHistory')} />}
      <ol className="history">
        {items.map((one, index) => (
          <Line key={`${one.at} ${index}`} one={one} titleOf={titleOf} />
        ))}
      </ol>
      <MoreButton query={history} />
    </section>
  )
}

function Line({ one, titleOf }: { one: Happening; titleOf: (field: string) => string }) {
  const { t } = useTranslation()
  const Art = ICONS[one.group]
  return (
    <li>
      <span className="history-art" data-group={one.group}>
        <Art size={16} stroke={1.7} aria-hidden />
      </span>
      <div style={{ flex: 1, minWidth: 0 }}>
        <b>{t(`area.people.kinds.${one.group}.${one.kind}`)}</b> <About one={one} />
        <Changes one={one} titleOf={titleOf} />
      </div>
      <time dateTime={one.at}>{momentToTheSecond(one.at)}</time>
    </li>
  )
}

const text = (value: unknown) => (typeof value === 'string' && value ? value : undefined)

/** What it was about, and what brought it about. */
function About({ one: { detail } }: { one: Happening }) {
  const { t } = useTranslation()
  const { channel, contact, resource, template, scenario, segment, reason, url, code, cause, by } = detail
  const parts = [
    text(template),
    text(segment),
    text(scenario),
    text(resource),
    text(channel) && t(`channel.${channel as string}`),
    text(contact),
    text(reason) && t(`area.people.ends.${reason as string}`),
    text(url),
    text(code),
    text(cause) && [t(`area.people.causes.${cause as string}`), text(by)].filter(Boolean).join(': '),
  ]
  return <span className="soft">{parts.filter(Boolean).join(' · ')}</span>
}

type Change = { old: unknown; new: unknown }

function Changes({ one, titleOf }: { one: Happening; titleOf: (field: string) => string }) {
  const { t } = useTranslation()
  const changes = changesOf(one)
  if (!changes.length) return null
  return (
    <ul className="history-changes">
      {changes.map(([name, { old, new: now }]) => (
        <li key={name}>
          {one.group === 'profile' ? titleOf(name) : t(`area.people.parts.${name}`)}:{' '}
          {shown(old) && <s>{told(old, name)}</s>} {shown(old) && '→'} {shown(now) ? told(now, name) : '∅'}
        </li>
      ))}
    </ul>
  )
  function told(value: unknown, name: string) {
    return name === 'status' || name === '_status' ? t(`subscription.${String(value)}`) : shown(value)
  }
}

function changesOf({ group, detail }: Happening): [string, Change][] {
  if (group === 'profile') return Object.entries((detail.fields ?? {}) as Record<string, Change>)
  if (group !== 'subscription') return []
  const before = (detail.old ?? {}) as Record<string, unknown>
  const after = (detail.new ?? {}) as Record<string, unknown>
  return Object.keys({ ...before, ...after })
    .filter((key) => ['status', 'priority', 'cats'].includes(key))
    .filter((key) => shown(before[key]) !== shown(after[key]))
    .map((key) => [key, { old: before[key], new: after[key] }])
}

function shown(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (Array.isArray(value)) return value.map(shown).join(', ')
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
