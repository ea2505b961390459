import { ActionIcon, Button, Group, Menu, Modal, Select, Stack, TextInput } from '@mantine/core'
import { IconDots, IconPlus } from '@tabler/icons-react'
import { Fragment, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { errorText } from '../api/errorText'
import { useNamed } from '../api/lookups'
import {
  addSubscription,
  changeSubscription,
  deleteSubscription,
  restoreSubscription,
  useForgetProfiles,
  type Profile,
  type Subscription,
} from '../api/profiles'
import { ChannelIcon } from '../components/ChannelIcon'
import { toast } from '../components/toasts'
import { day, moment } from '../format/dates'
import { SubscriptionPill } from './SubscriptionPill'

const CHANNELS = ['email', 'sms', 'push', 'telegram', 'whatsapp', 'viber', 'notify']
const PAUSES = [14, 30, 60, 90]
const DAY_MS = 86_400_000

/** The contacts of a person by resource and channel, with what can be done about each. */
export function Subscriptions({ profile }: { profile: Profile }) {
  const { t } = useTranslation()
  const [adding, setAdding] = useState(false)
  return (
    <section className="panel padded">
      <Group justify="space-between" mb={8}>
        <h2 style={{ margin: 0 }}>{t('profiles.subscriptions')}</h2>
        <Button size="compact-sm" variant="subtle" leftSection={<IconPlus size={14} />} onClick={() => setAdding(true)}>
          {t('area.people.subscribe')}
        </Button>
      </Group>
      {profile.subscriptions.length === 0 && (
        <span style={{ color: 'var(--ink2)' }}>{t('profiles.noSubscriptions')}</span>
      )}
      {profile.subscriptions.map((one) => (
        <Line key={one.id} profile={profile.id} subscription={one} />
      ))}
      {adding && <Subscribe profile={profile} onClose={() => setAdding(false)} />}
    </section>
  )
}

function Line({ profile, subscription }: { profile: string; subscription: Subscription }) {
  const { t } = useTranslation()
  const { status, effective, confirmed_at, suspended_until, deleted_at } = subscription
  const [proof, setProof] = useState(false)
  const notes = [
    subscription.resource_name,
    confirmed_at && t('profiles.confirmed', { time: moment(confirmed_at) }),
    suspended_until && t('area.people.until', { day: day(suspended_until) }),
    deleted_at && t('area.people.deletedAt', { day: day(deleted_at) }),
    subscription.cats && t('area.people.only', { names: subscription.cats.join(', ') || '—' }),
    effective !== status && !deleted_at && t('area.people.effective', { status: t(`subscription.${effective}`) }),
  ]
  return (
    <div className="subscription">
      <ChannelIcon channel={subscription.channel} />
      <span style={{ flex: 1, minWidth: 0 }}>
        <span className="one-line" title={subscription.contact}>
          {subscription.contact}
        </span>
        <small>{notes.filter(Boolean).join(' · ')}</small>
      </span>
      {!deleted_at && <SubscriptionPill status={status} />}
      <StatusMenu profile={profile} subscription={subscription} onProof={() => setProof(true)} />
      {proof && <Proof subscription={subscription} onClose={() => setProof(false)} />}
    </div>
  )
}

/** What shows that somebody wanted the subscription: when, from where, and what he was shown. */
function Proof({ subscription, onClose }: { subscription: Subscription; onClose: () => void }) {
  const { t } = useTranslation()
  const lines: [string, string | null][] = [
    ['subscribedAt', moment(subscription.opted_in_at ?? subscription.created_at)],
    ['optInIp', subscription.opt_in_ip],
    ['optInUrl', subscription.opt_in_url],
    ['confirmedAt', subscription.confirmed_at && moment(subscription.confirmed_at)],
    ['confirmIp', subscription.confirm_ip],
  ]
  return (
    <Modal
      opened
      onClose={onClose}
      title={<b>{t('area.people.proof')}</b>}
      closeButtonProps={{ 'aria-label': t('close') }}
    >
      <dl className="facts">
        {lines
          .filter(([, value]) => value)
          .map(([word, value]) => (
            <Fragment key={word}>
              <dt>{t(`area.people.${word}`)}</dt>
              <dd>{value}</dd>
            </Fragment>
          ))}
      </dl>
      <p style={{ whiteSpace: 'pre-line', margin: 0 }}>{subscription.consent ?? t('area.people.noConsent')}</p>
    </Modal>
  )
}

type MenuProps = { profile: string; subscription: Subscription; onProof: () => void }

function StatusMenu({ profile, subscription, onProof }: MenuProps) {
  const { t } = useTranslation()
  const forget = useForgetProfiles()
  const attempt = async (work: () => Promise<unknown>) => {
    try {
      await work()
      await forget()
    } catch (error) {
      toast.bad(errorText(error))
    }
  }
  const set = (status: string, until?: string) =>
    attempt(() => changeSubscription(profile, subscription.id, status, until))
  if (subscription.deleted_at)
    return (
      <Button
        size="compact-xs"
        variant="subtle"
        onClick={() => attempt(() => restoreSubscription(profile, subscription.id))}
      >
        {t('area.people.restore')}
      </Button>
    )
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-label={t('area.people.actionsOf', { contact: subscription.contact })}
        >
          <IconDots size={16} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {subscription.status !== 'subscribed' && (
          <Menu.Item onClick={() => set('subscribed')}>{t('area.people.resubscribe')}</Menu.Item>
        )}
        {subscription.status !== 'unsubscribed' && (
          <Menu.Item onClick={() => set('unsubscribed')}>{t('area.people.unsubscribe')}</Menu.Item>
        )}
        <Menu.Divider />
        <Menu.Label>{t('area.people.pause')}</Menu.Label>
        {PAUSES.map((days) => (
          <Menu.Item key={days} onClick={() => set('suspended', new Date(Date.now() + days * DAY_MS).toISOString())}>
            {t('area.people.pauseDays', { count: days })}
          </Menu.Item>
        ))}
        <Menu.Item onClick={() => set('suspended')}>{t('area.people.pauseForever')}</Menu.Item>
        <Menu.Divider />
        <Menu.Item onClick={onProof}>{t('area.people.proof')}</Menu.Item>
        <Menu.Item color="red" onClick={() => attempt(() => deleteSubscription(profile, subscription.id))}>
          {t('area.people.deleteSubscription')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}

function Subscribe({ profile, onClose }: { profile: Profile; onClose: () => void }) {
  const { t } = useTranslation()
  const forget = useForgetProfiles()
  const resources = useNamed('resource')
  const [resource, setResource] = useState<string | null>(null)
  const [channel, setChannel] = useState('email')
  const [contact, setContact] = useState(String(profile.fields.email ?? ''))
  const [status, setStatus] = useState('subscribed')
  const [failure, setFailure] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const save = async () => {
    setBusy(true)
    try {
      await addSubscription(profile.id, { resource_id: Number(resource), channel, contact, status })
      await forget()
      onClose()
    } catch (error) {
      setFailure(error)
      setBusy(false)
    }
  }
  return (
    <Modal
      opened
      onClose={onClose}
      title={<b>{t('area.people.subscribe')}</b>}
      closeButtonProps={{ 'aria-label': t('close') }}
    >
      <Stack gap="md">
        <Select
          label={t('profiles.resource')}
          data={resources.items.map(({ id, name }) => ({ value: String(id), label: name }))}
          value={resource}
          onChange={setResource}
        />
        <Select
          label={t('area.people.channel')}
          allowDeselect={false}
          data={CHANNELS.map((word) => ({ value: word, label: t(`channel.${word}`) }))}
          value={channel}
          onChange={(word) => {
            setChannel(word ?? 'email')
            if (word === 'sms') setContact(String((profile.fields.phones as string[] | undefined)?.[0] ?? ''))
          }}
        />
        <TextInput
          label={t('profiles.contact')}
          value={contact}
          error={failure === undefined ? undefined : errorText(failure)}
          onChange={(event) => setContact(event.currentTarget.value)}
        />
        <Select
          label={t('profiles.status')}
          allowDeselect={false}
          data={['subscribed', 'unconfirmed'].map((word) => ({ value: word, label: t(`subscription.${word}`) }))}
          value={status}
          onChange={(word) => setStatus(word ?? 'subscribed')}
        />
        <Group justify="flex-end" gap={8}>
          <Button variant="default" onClick={onClose}>
            {t('cancel')}
          </Button>
          <Button loading={busy} disabled={!resource || !contact.trim()} onClick={save}>
            {t('area.people.subscribe')}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}
