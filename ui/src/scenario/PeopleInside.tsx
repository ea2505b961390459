import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { allItems } from '../api/page'
import { usePeopleAt, type Person } from '../api/scenarios'
import { Initials } from '../components/Initials'
import { MoreButton } from '../components/MoreButton'
import { EmptyState, LoadFailure, Waiting } from '../components/states'
import { fromNow } from '../format/dates'
import { useNow } from '../format/useNow'
import { useEditor } from './editorStore'

export function PeopleInside({ nodeId }: { nodeId: number }) {
  const { t } = useTranslation()
  const scenarioId = useEditor((state) => state.status.id)
  const people = usePeopleAt(scenarioId, nodeId)
  if (people.isPending) return <Waiting rows={4} />
  if (people.isError) return <LoadFailure error={people.error} retry={people.refetch} />
  const list = allItems(people.data.pages)
  if (!list.length) return <EmptyState title={t('drawer.nobody')} text={t('drawer.nobodyText')} />
  return (
    <>
      {list.map((person) => (
        <PersonRow key={person.passage_id} person={person} />
      ))}
      <MoreButton query={people} />
    </>
  )
}

function PersonRow({ person }: { person: Person }) {
  const { t } = useTranslation()
  const now = useNow()
  const name = person.name || person.email || person.phone || person.profile_id
  return (
    <Link
      className="person"
      to="/profiles/$id"
      params={{ id: String(person.profile_id) }}
      search={{ tab: 'scenarios' }}
    >
      <Initials size={32} name={name} />
      <span style={{ flex: 1, minWidth: 0 }}>
        {name}
        <small>{person.name && person.email}</small>
      </span>
      <span style={{ textAlign: 'right' }}>
        <small>{t('drawer.since', { time: fromNow(person.entered_at, now) })}</small>
        <small>
          {person.due_at ? t('drawer.goesOn', { time: fromNow(person.due_at, now) }) : t('drawer.waitsAnswer')}
        </small>
      </span>
    </Link>
  )
}
