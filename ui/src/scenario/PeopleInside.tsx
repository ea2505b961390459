import { ActionIcon, Menu } from '@mantine/core'
import { IconDots, IconDoorExit, IconPlayerTrackNext } from '@tabler/icons-react'
import { useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { allItems } from '../api/page'
import { errorText } from '../api/errorText'
import { letOn, takeOut, usePeopleAt, type Person } from '../api/scenarios'
import { Initials } from '../components/Initials'
import { MoreButton } from '../components/MoreButton'
import { EmptyState, LoadFailure, Waiting } from '../components/states'
import { toast } from '../components/toasts'
import { fromNow } from '../format/dates'
import { useNow } from '../format/useNow'
import { useShallow } from 'zustand/react/shallow'
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
    <div style={{ display: 'flex', alignItems: 'center' }}>
      <Link
        className="person"
        style={{ flex: 1, minWidth: 0 }}
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
      <PersonMenu person={person} name={name} />
    </div>
  )
}

/** What can be done with one person who waits here. */
function PersonMenu({ person, name }: { person: Person; name: string }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const { id, readOnly } = useEditor(useShallow((state) => ({ id: state.status.id, readOnly: state.readOnly })))
  if (readOnly) return null
  const run = async (deed: typeof letOn, told: string) => {
    try {
      await deed(id, person)
      toast.good(told)
    } catch (error) {
      toast.bad(errorText(error))
    }
    void client.invalidateQueries({ queryKey: ['people-at', id] })
  }
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon aria-label={`${t('area.editing.actions')}: ${name}`}>
          <IconDots size={16} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item
          leftSection={<IconPlayerTrackNext size={15} />}
          onClick={() => run(letOn, t('area.editing.movedOn'))}
        >
          {t('area.editing.moveOn')}
        </Menu.Item>
        <Menu.Item
          color="red"
          leftSection={<IconDoorExit size={15} />}
          onClick={() => run(takeOut, t('area.editing.takenOut'))}
        >
          {t('area.editing.takeOut')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
