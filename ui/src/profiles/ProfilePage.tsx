import { Button, Group, Menu, Modal, Tabs } from '@mantine/core'
import {
  IconArrowMerge,
  IconArrowsSplit,
  IconDots,
  IconDownload,
  IconEraser,
  IconPencil,
  IconTrash,
} from '@tabler/icons-react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { ProfileField } from '../api/databases'
import { errorText } from '../api/errorText'
import { useDatabases } from '../api/lookups'
import { allItems } from '../api/page'
import { personalDataAddress } from '../api/privacy'
import {
  deleteProfile,
  useMemberships,
  useMessages,
  usePassages,
  useProfile,
  type Profile,
  type SentMessage,
} from '../api/profiles'
import { ChannelIcon } from '../components/ChannelIcon'
import { Initials } from '../components/Initials'
import { MoreButton } from '../components/MoreButton'
import { PageHead } from '../components/PageHead'
import { EmptyState, LoadFailure, Waiting } from '../components/states'
import { toast } from '../components/toasts'
import { moment } from '../format/dates'
import { settingText, useLanguage } from '../i18n'
import { MergeDialog } from '../merging/MergeDialog'
import { MergedList } from '../merging/MergedList'
import { SplitDialog } from '../merging/SplitDialog'
import { EraseDialog } from '../privacy/EraseDialog'
import { RelationsTab } from '../relations/RelationsTab'
import { EditDrawer } from './EditDrawer'
import { grouped } from './fieldGroups'
import { shownValue } from './fieldValue'
import { HistoryTab } from './HistoryTab'
import { PassageTimeline } from './PassageTimeline'
import { emailOf, nameOf, phoneOf } from './profileName'
import { SubscriptionPill } from './SubscriptionPill'
import { Subscriptions } from './Subscriptions'

const route = getRouteApi('/app/profiles/$id')

type Asked = 'edit' | 'merge' | 'split' | 'delete' | 'erase'

/** One person: what is known, where it can be written to, and everything that happened. */
export function ProfilePage() {
  const { t } = useTranslation()
  const { id } = route.useParams()
  const { tab = 'history' } = route.useSearch()
  const navigate = route.useNavigate()
  const profile = useProfile(id)
  const databases = useDatabases()
  const [asked, ask] = useState<Asked>()
  if (profile.isError) return <LoadFailure error={profile.error} retry={profile.refetch} />
  if (profile.isPending) return <Waiting />
  const { data } = profile
  const fields = databases.data?.find((one) => one.id === data.database)?.fields ?? []
  const title = nameOf(data.fields) || emailOf(data.fields) || phoneOf(data.fields) || data.id
  const titleOf = (name: string) => settingText(fields.find((field) => field.name === name)?.title ?? name)
  const toList = () => navigate({ to: '/profiles', search: { database: data.database } })
  return (
    <div className="page">
      <PageHead
        title={title}
        above={
          <Link to="/profiles" search={{ database: data.database }} className="crumb">
            {t('nav.profiles')} · {data.database_name}
          </Link>
        }
      >
        <SubscriptionPill status={data.status} />
        <Button variant="default" leftSection={<IconPencil size={16} />} onClick={() => ask('edit')}>
          {t('area.people.edit')}
        </Button>
        <Actions id={id} onAsk={ask} />
        <Initials size={40} name={title} />
      </PageHead>
      <div className="profile-grid">
        <div>
          <Fields profile={data} fields={fields} />
          <Subscriptions profile={data} />
          <MergedList id={data.id} />
        </div>
        <Tabs
          value={tab}
          onChange={(next) => navigate({ search: { tab: next as typeof tab }, replace: true })}
          keepMounted={false}
        >
          <Tabs.List mb="sm">
            <Tabs.Tab value="history">{t('area.people.history')}</Tabs.Tab>
            <Tabs.Tab value="scenarios">{t('nav.scenarios')}</Tabs.Tab>
            <Tabs.Tab value="messages">{t('profiles.messages')}</Tabs.Tab>
            <Tabs.Tab value="segments">{t('nav.segments')}</Tabs.Tab>
            <Tabs.Tab value="relations">{t('area.merging.relations')}</Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="history">
            <HistoryTab id={id} titleOf={titleOf} />
          </Tabs.Panel>
          <Tabs.Panel value="scenarios">
            <Path id={id} />
          </Tabs.Panel>
          <Tabs.Panel value="messages">
            <Messages id={id} />
          </Tabs.Panel>
          <Tabs.Panel value="segments">
            <SegmentsTab id={id} />
          </Tabs.Panel>
          <Tabs.Panel value="relations">
            <RelationsTab profile={data} />
          </Tabs.Panel>
        </Tabs>
      </div>
      {asked === 'edit' && (
        <EditDrawer
          database={data.database}
          fields={fields}
          profile={data}
          onClose={() => ask(undefined)}
          onSaved={() => ask(undefined)}
        />
      )}
      {asked === 'merge' && <MergeDialog profile={data} fields={fields} onClose={() => ask(undefined)} />}
      {asked === 'split' && <SplitDialog profile={data} fields={fields} onClose={() => ask(undefined)} />}
      {asked === 'delete' && <DeleteDialog id={id} onClose={() => ask(undefined)} onDeleted={toList} />}
      {asked === 'erase' && <EraseDialog profile={id} onClose={() => ask(undefined)} onErased={toList} />}
    </div>
  )
}

function Actions({ id, onAsk }: { id: string; onAsk: (what: Asked) => void }) {
  const { t } = useTranslation()
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button variant="default" px={10} aria-label={t('area.people.actions')}>
          <IconDots size={18} />
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconDownload size={16} />} component="a" href={personalDataAddress(id)} download>
          {t('area.people.personalData')}
        </Menu.Item>
        <Menu.Item leftSection={<IconArrowMerge size={16} />} onClick={() => onAsk('merge')}>
          {t('area.merging.merge')}
        </Menu.Item>
        <Menu.Item leftSection={<IconArrowsSplit size={16} />} onClick={() => onAsk('split')}>
          {t('area.merging.split')}
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item leftSection={<IconTrash size={16} />} color="red" onClick={() => onAsk('delete')}>
          {t('area.people.delete')}
        </Menu.Item>
        <Menu.Item leftSection={<IconEraser size={16} />} color="red" onClick={() => onAsk('erase')}>
          {t('area.people.erase')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}

function Fields({ profile, fields }: { profile: Profile; fields: ProfileField[] }) {
  const { t } = useTranslation()
  const filled = ({ name }: ProfileField) => !['', null, undefined].includes(profile.fields[name] as never)
  const parts = grouped(fields)
    .map(({ group, fields: own }) => ({ group, fields: own.filter(filled) }))
    .filter((part) => part.fields.length)
  return (
    <section className="panel padded">
      {parts.length === 0 && <p>{t('profiles.noFields')}</p>}
      {parts.map(({ group, fields: own }) => (
        <div key={group} className="field-part">
          <h2>{t(`area.people.groups.${group}`)}</h2>
          <dl className="facts">
            {own.map((field) => (
              <Fact
                key={field.name}
                label={settingText(field.title)}
                value={shownValue(profile.fields[field.name], field.type, t)}
              />
            ))}
          </dl>
        </div>
      ))}
      <dl className="facts">
        <Fact label={t('profiles.created')} value={moment(profile.created_at)} />
        <Fact label={t('profiles.publicId')} value={profile.id} />
      </dl>
    </section>
  )
}

function SegmentsTab({ id }: { id: string }) {
  const { t } = useTranslation()
  const segments = useMemberships(id)
  return (
    <section className="panel table-panel">
      {segments.isPending && <Waiting rows={3} />}
      {segments.isError && <LoadFailure error={segments.error} retry={segments.refetch} />}
      {segments.data?.length === 0 && (
        <EmptyState title={t('area.people.noSegments')} text={t('area.people.noSegmentsText')} />
      )}
      {!!segments.data?.length && (
        <table className="table">
          <thead>
            <tr>
              <th>{t('area.segments.name')}</th>
              <th>{t('area.segments.kind')}</th>
              <th>{t('area.people.since')}</th>
            </tr>
          </thead>
          <tbody>
            {segments.data.map((one) => (
              <tr key={one.id}>
                <td>
                  <Link to="/segments/$id" params={{ id: String(one.id) }} className="row-link">
                    {one.name}
                  </Link>
                </td>
                <td>{t(`area.segments.kinds.${one.kind}`)}</td>
                <td className="soft">{moment(one.entered_at)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  )
}

function DeleteDialog({ id, onClose, onDeleted }: { id: string; onClose: () => void; onDeleted: () => void }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const remove = useMutation({
    mutationFn: () => deleteProfile(id),
    onSuccess: async () => {
      client.removeQueries({ queryKey: ['profile', id] })
      await client.invalidateQueries({ queryKey: ['profiles'] })
      onDeleted()
    },
    onError: (error) => toast.bad(errorText(error)),
  })
  return (
    <Modal
      opened
      onClose={onClose}
      title={<b>{t('area.people.deleteTitle')}</b>}
      closeButtonProps={{ 'aria-label': t('close') }}
    >
      <p style={{ marginTop: 0 }}>{t('area.people.deleteText')}</p>
      <Group justify="flex-end" gap={8}>
        <Button variant="default" onClick={onClose}>
          {t('cancel')}
        </Button>
        <Button color="red" loading={remove.isPending} onClick={() => remove.mutate()}>
          {t('area.people.delete')}
        </Button>
      </Group>
    </Modal>
  )
}

const Fact = ({ label, value }: { label: string; value: string }) => (
  <>
    <dt>{label}</dt>
    <dd>{value}</dd>
  </>
)

function Path({ id }: { id: string }) {
  const { t } = useTranslation()
  const language = useLanguage()
  const passages = usePassages(id, language)
  const list = allItems(passages.data?.pages)
  return (
    <section className="panel padded">
      <h2>{t('profiles.path')}</h2>
      {passages.isPending && <Waiting rows={4} />}
      {passages.isError && <LoadFailure error={passages.error} retry={passages.refetch} />}
      {passages.isSuccess && list.length === 0 && <EmptyState title={t('profiles.noPath')} />}
      {list.map((passage) => (
        <PassageTimeline key={passage.passage_id} passage={passage} />
      ))}
      <MoreButton query={passages} />
    </section>
  )
}

function Messages({ id }: { id: string }) {
  const { t } = useTranslation()
  const messages = useMessages(id)
  const list = allItems(messages.data?.pages)
  return (
    <section className="panel padded">
      <h2>{t('profiles.messages')}</h2>
      {messages.isPending && <Waiting rows={3} />}
      {messages.isError && <LoadFailure error={messages.error} retry={messages.refetch} />}
      {messages.isSuccess && list.length === 0 && (
        <span style={{ color: 'var(--ink2)' }}>{t('profiles.noMessages')}</span>
      )}
      {list.map((message) => (
        <MessageRow key={`${message.passage_id}:${message.hop}`} message={message} />
      ))}
      <MoreButton query={messages} />
    </section>
  )
}

const STATE_TONES: Record<string, string> = {
  accepted: 'tone-yes',
  planned: 'blue',
  handing_over: 'blue',
  rejected: 'tone-no',
  in_doubt: 'amber',
}

function MessageRow({ message }: { message: SentMessage }) {
  const { t } = useTranslation()
  const marks = [
    moment(message.handed_at ?? message.created_at),
    message.opened_at && t('message.opened', { time: moment(message.opened_at) }),
    message.clicked_at && t('message.clicked', { time: moment(message.clicked_at) }),
    message.reason && t(`message.reasons.${message.reason}`),
  ]
  return (
    <div className="subscription">
      <ChannelIcon channel={message.channel} />
      <span style={{ flex: 1, minWidth: 0 }}>
        {message.template_name} {message.contact && <small>{message.contact}</small>}
        <br />
        <small>{marks.filter(Boolean).join(' · ')}</small>
      </span>
      <span className={`pill ${STATE_TONES[message.state] ?? 'neutral'}`}>{t(`message.states.${message.state}`)}</span>
    </div>
  )
}
