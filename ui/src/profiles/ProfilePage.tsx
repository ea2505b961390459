import { getRouteApi, Link } from '@tanstack/react-router'
import type { TFunction } from 'i18next'
import { useTranslation } from 'react-i18next'
import { useDatabases } from '../api/lookups'
import { allItems } from '../api/page'
import {
  useMessages,
  usePassages,
  useProfile,
  type Profile,
  type SentMessage,
  type Subscription,
} from '../api/profiles'
import { ChannelIcon } from '../components/ChannelIcon'
import { Initials } from '../components/Initials'
import { MoreButton } from '../components/MoreButton'
import { PageHead } from '../components/PageHead'
import { EmptyState, LoadFailure, Waiting } from '../components/states'
import { day, moment } from '../format/dates'
import { settingText, useLanguage } from '../i18n'
import { PassageTimeline } from './PassageTimeline'
import { emailOf, nameOf, phoneOf } from './profileName'
import { SubscriptionPill } from './SubscriptionPill'

const route = getRouteApi('/app/profiles/$id')

export function ProfilePage() {
  const { t } = useTranslation()
  const { id } = route.useParams()
  const profile = useProfile(id)
  if (profile.isError) return <LoadFailure error={profile.error} retry={profile.refetch} />
  if (profile.isPending) return <Waiting />
  const { data } = profile
  const title = nameOf(data.fields) || emailOf(data.fields) || phoneOf(data.fields) || data.id
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
        <Initials size={40} name={title} />
      </PageHead>
      <div className="profile-grid">
        <div>
          <Fields profile={data} />
          <Subscriptions list={data.subscriptions} />
        </div>
        <div>
          <Path id={id} />
          <Messages id={id} />
        </div>
      </div>
    </div>
  )
}

function Fields({ profile }: { profile: Profile }) {
  const { t } = useTranslation()
  const fields = useDatabases().data?.find(({ id }) => id === profile.database)?.fields
  const filled = Object.entries(profile.fields).filter(([, value]) => value !== null && value !== '')
  return (
    <section className="panel padded">
      <h2>{t('profiles.fields')}</h2>
      {filled.length === 0 && <p>{t('profiles.noFields')}</p>}
      <dl className="facts">
        {filled.map(([name, value]) => {
          const field = fields?.find((found) => found.name === name)
          return <Fact key={name} label={settingText(field?.title ?? name)} value={shown(value, field?.type, t)} />
        })}
        <Fact label={t('profiles.created')} value={moment(profile.created_at)} />
        <Fact label={t('profiles.publicId')} value={profile.id} />
      </dl>
    </section>
  )
}

const Fact = ({ label, value }: { label: string; value: string }) => (
  <>
    <dt>{label}</dt>
    <dd>{value}</dd>
  </>
)

function shown(value: unknown, type: string | undefined, t: TFunction): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'boolean') return t(value ? 'form.yes' : 'form.no')
  if (type === 'date' && typeof value === 'string') return day(value)
  if (Array.isArray(value)) return value.map((one) => shown(one, type, t)).join(', ')
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

function Subscriptions({ list }: { list: Subscription[] }) {
  const { t } = useTranslation()
  return (
    <section className="panel padded">
      <h2>{t('profiles.subscriptions')}</h2>
      {list.length === 0 && <span style={{ color: 'var(--ink2)' }}>{t('profiles.noSubscriptions')}</span>}
      {list.map((subscription) => (
        <div className="subscription" key={subscription.id}>
          <ChannelIcon channel={subscription.channel} />
          <span style={{ flex: 1, minWidth: 0 }}>
            {subscription.contact}
            <br />
            <small>
              {subscription.resource_name}
              {subscription.confirmed_at &&
                ` · ${t('profiles.confirmed', { time: moment(subscription.confirmed_at) })}`}
            </small>
          </span>
          <SubscriptionPill status={subscription.status} />
        </div>
      ))}
    </section>
  )
}

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
