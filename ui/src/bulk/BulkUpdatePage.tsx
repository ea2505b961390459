import {
  Alert,
  Button,
  Checkbox,
  Group,
  Loader,
  Modal,
  MultiSelect,
  Progress,
  Select,
  Stack,
  Switch,
  TextInput,
} from '@mantine/core'
import { IconAlertTriangle, IconCircleCheck } from '@tabler/icons-react'
import { useMutation } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import {
  isRunning,
  startBulkUpdate,
  useAudienceCount,
  useBulkTask,
  type Audience,
  type BulkTask,
  type Changes,
} from '../api/bulk'
import { errorText } from '../api/errorText'
import { cancelTask } from '../api/imports'
import { useDatabases, useNamed } from '../api/lookups'
import { PageHead } from '../components/PageHead'
import { LoadFailure, Waiting } from '../components/states'
import { number } from '../format/numbers'
import { ChangesField } from '../forms/ChangesField'
import { AudienceForm } from './AudienceForm'
import { startAudience } from './audienceSearch'
import { asFields, type FieldChange } from './fieldChanges'

const route = getRouteApi('/app/bulk-update')
const STATUSES = ['subscribed', 'unsubscribed', 'unconfirmed', 'suspended', 'invalid']
const CHANNELS = ['email', 'sms', 'push', 'telegram', 'whatsapp', 'viber', 'notify']

/** The same changes to many profiles. */
export function BulkUpdatePage() {
  const { t } = useTranslation()
  const search = route.useSearch()
  const databases = useDatabases()
  const first = databases.data?.[0]?.id
  const [given, setGiven] = useState<Audience | undefined>(startAudience(search))
  const audience = given ?? (first === undefined ? undefined : { database_id: first })
  return (
    <div className="page" style={{ maxWidth: 920 }}>
      <PageHead title={t('area.bulk.update')} />
      {databases.isError && <LoadFailure error={databases.error} retry={databases.refetch} />}
      {search.task !== undefined && <Running key={search.task} id={search.task} />}
      {search.task === undefined && audience && (
        <UpdateForm key={audience.database_id} audience={audience} onAudience={setGiven} />
      )}
    </div>
  )
}

function UpdateForm({ audience, onAudience }: { audience: Audience; onAudience: (audience: Audience) => void }) {
  const { t } = useTranslation()
  const [changes, setChanges] = useState<FieldChange[]>([])
  const [rest, setRest] = useState<Changes>({})
  const [asked, ask] = useState(false)
  const put = (part: Changes) => setRest({ ...rest, ...part })
  const whole: Changes = rest.delete
    ? { delete: true, skip_triggers: rest.skip_triggers }
    : { ...rest, fields: { ...rest.fields, ...asFields(changes) } }
  return (
    <Stack gap="lg">
      <section className="panel padded" aria-label={t('area.bulk.whom')}>
        <h2 className="panel-title">{t('area.bulk.whom')}</h2>
        <AudienceForm audience={audience} onChange={onAudience} />
      </section>
      <section className="panel padded" aria-label={t('area.bulk.what')}>
        <h2 className="panel-title">{t('area.bulk.what')}</h2>
        <Stack gap="md">
          {!rest.delete && (
            <>
              <ChangesField
                name="fields"
                schema={{}}
                label={t('area.bulk.fieldChanges')}
                hint={undefined}
                required={false}
                error={undefined}
                value={changes}
                context={{ database: audience.database_id, steps: [], nodeType: '', disabled: false }}
                onChange={(next) => setChanges(next as FieldChange[])}
              />
              <GlobalStatus changes={rest} put={put} />
              <SubscribeFields changes={rest} put={put} />
              <StatusFields changes={rest} put={put} />
              <SegmentFields database={audience.database_id} changes={rest} put={put} />
            </>
          )}
          <Checkbox
            color="red"
            label={t('area.bulk.delete')}
            description={t('area.bulk.deleteHint')}
            checked={!!rest.delete}
            onChange={(event) => put({ delete: event.currentTarget.checked })}
          />
          <Switch
            label={t('area.bulk.skipTriggers')}
            checked={!!rest.skip_triggers}
            onChange={(event) => put({ skip_triggers: event.currentTarget.checked })}
          />
        </Stack>
      </section>
      <Button size="md" style={{ alignSelf: 'flex-start' }} disabled={!doesSomething(whole)} onClick={() => ask(true)}>
        {t('area.bulk.review')}
      </Button>
      {asked && <Confirmation audience={audience} changes={whole} onClose={() => ask(false)} />}
    </Stack>
  )
}

const doesSomething = (changes: Changes) =>
  !!changes.delete ||
  !!changes.subscribe ||
  !!changes.subscriptions ||
  !!changes.add_to_segments?.length ||
  !!changes.remove_from_segments?.length ||
  Object.keys(changes.fields ?? {}).length > 0

type PartProps = { changes: Changes; put: (part: Changes) => void }

function GlobalStatus({ changes, put }: PartProps) {
  const { t } = useTranslation()
  return (
    <Select
      label={t('area.bulk.globalStatus')}
      placeholder={t('area.bulk.leave')}
      clearable
      style={{ maxWidth: 300 }}
      data={STATUSES.map((word) => ({ value: word, label: t(`subscription.${word}`) }))}
      value={(changes.fields?._status as string) ?? null}
      onChange={(status) => put({ fields: status ? { _status: status } : {} })}
    />
  )
}

function SubscribeFields({ changes: { subscribe }, put }: PartProps) {
  const { t } = useTranslation()
  const resources = useNamed('resource')
  return (
    <Group align="flex-end" gap={10} grow>
      <Select
        label={t('area.bulk.subscribe')}
        placeholder={t('none')}
        clearable
        data={resources.items.map(({ id, name }) => ({ value: String(id), label: name }))}
        value={subscribe ? String(subscribe.resource_id) : null}
        onChange={(id) =>
          put({
            subscribe: id
              ? { channel: 'email', contact_from: 'profile', ...subscribe, resource_id: Number(id) }
              : undefined,
          })
        }
      />
      {subscribe && (
        <>
          <Select
            label={t('area.bulk.channel')}
            allowDeselect={false}
            data={['email', 'sms'].map((word) => ({ value: word, label: t(`channel.${word}`) }))}
            value={subscribe.channel}
            onChange={(channel) => put({ subscribe: { ...subscribe, channel: channel as 'email' | 'sms' } })}
          />
          <Select
            label={t('area.bulk.contactFrom')}
            allowDeselect={false}
            data={['profile', 'subscriptions'].map((word) => ({
              value: word,
              label: t(`area.bulk.contactFroms.${word}`),
            }))}
            value={subscribe.contact_from}
            onChange={(from) => put({ subscribe: { ...subscribe, contact_from: from as 'profile' | 'subscriptions' } })}
          />
          <Select
            label={t('area.bulk.subscribeStatus')}
            allowDeselect={false}
            data={['subscribed', 'unconfirmed'].map((word) => ({ value: word, label: t(`subscription.${word}`) }))}
            value={subscribe.status ?? 'subscribed'}
            onChange={(status) => put({ subscribe: { ...subscribe, status: status ?? undefined } })}
          />
        </>
      )}
    </Group>
  )
}

function StatusFields({ changes: { subscriptions }, put }: PartProps) {
  const { t } = useTranslation()
  const resources = useNamed('resource')
  return (
    <Group align="flex-end" gap={10} grow>
      <Select
        label={t('area.bulk.setStatus')}
        placeholder={t('area.bulk.leave')}
        clearable
        data={STATUSES.map((word) => ({ value: word, label: t(`subscription.${word}`) }))}
        value={subscriptions?.status ?? null}
        onChange={(status) => put({ subscriptions: status ? { ...subscriptions, status } : undefined })}
      />
      {subscriptions && (
        <>
          <Select
            label={t('area.bulk.resource')}
            placeholder={t('area.bulk.anyResource')}
            clearable
            data={resources.items.map(({ id, name }) => ({ value: String(id), label: name }))}
            value={subscriptions.resource_id ? String(subscriptions.resource_id) : null}
            onChange={(id) => put({ subscriptions: { ...subscriptions, resource_id: id ? Number(id) : undefined } })}
          />
          <Select
            label={t('area.bulk.channel')}
            placeholder={t('area.bulk.anyChannel')}
            clearable
            data={CHANNELS.map((word) => ({ value: word, label: t(`channel.${word}`) }))}
            value={subscriptions.channel ?? null}
            onChange={(channel) => put({ subscriptions: { ...subscriptions, channel: channel ?? undefined } })}
          />
        </>
      )}
    </Group>
  )
}

function SegmentFields({ database, changes, put }: PartProps & { database: number }) {
  const { t } = useTranslation()
  const segments = useNamed('segment')
  const data = segments.items
    .filter((segment) => segment.database_id === database && segment.kind === 'static')
    .map(({ id, name }) => ({ value: String(id), label: name }))
  if (!data.length) return null
  return (
    <Group align="flex-start" gap={10} grow>
      {(['add_to_segments', 'remove_from_segments'] as const).map((name) => (
        <MultiSelect
          key={name}
          label={t(name === 'add_to_segments' ? 'area.bulk.addTo' : 'area.bulk.removeFrom')}
          searchable
          clearable
          data={data}
          value={(changes[name] ?? []).map(String)}
          onChange={(ids) => put({ [name]: ids.map(Number) })}
        />
      ))}
    </Group>
  )
}

function Meant({ audience }: { audience: Audience }) {
  const { t } = useTranslation()
  const count = useAudienceCount(audience)
  if (count.isPending) return <Loader size="sm" />
  if (count.isError)
    return (
      <Alert color="red" variant="light" role="alert">
        {errorText(count.error)}
      </Alert>
    )
  const { people } = count.data
  return (
    <p style={{ margin: 0 }}>
      {people === null
        ? t('area.bulk.confirmUnknown')
        : t('area.bulk.confirmCount', { count: people, shown: number(people) })}
    </p>
  )
}

function Confirmation({ audience, changes, onClose }: { audience: Audience; changes: Changes; onClose: () => void }) {
  const { t } = useTranslation()
  const navigate = route.useNavigate()
  const name = useDatabases().data?.find(({ id }) => id === audience.database_id)?.name ?? ''
  const [typed, setTyped] = useState('')
  const begin = useMutation({
    mutationFn: () => startBulkUpdate(audience, changes),
    onSuccess: (task) => navigate({ search: { task: task.id } }),
  })
  return (
    <Modal
      opened
      onClose={onClose}
      title={<b>{t(changes.delete ? 'area.bulk.confirmDelete' : 'area.bulk.confirmTitle')}</b>}
      closeButtonProps={{ 'aria-label': t('close') }}
    >
      <Stack gap="md">
        {begin.isError && (
          <Alert color="red" variant="light" role="alert">
            {errorText(begin.error)}
          </Alert>
        )}
        <Meant audience={audience} />
        {changes.delete && (
          <TextInput
            label={t('area.bulk.typeDelete')}
            description={name}
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
          />
        )}
        <Group justify="flex-end" gap={8}>
          <Button variant="default" onClick={onClose}>
            {t('cancel')}
          </Button>
          <Button
            color={changes.delete ? 'red' : undefined}
            disabled={changes.delete && typed !== name}
            loading={begin.isPending}
            onClick={() => begin.mutate()}
          >
            {t('area.bulk.run')}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}

function Running({ id }: { id: number }) {
  const { t } = useTranslation()
  const navigate = route.useNavigate()
  const task = useBulkTask(id)
  const stop = useMutation({ mutationFn: () => cancelTask(id) })
  if (task.isError) return <LoadFailure error={task.error} retry={task.refetch} />
  if (task.isPending) return <Waiting rows={3} />
  const { state, done, total } = task.data
  if (!isRunning(task.data))
    return (
      <>
        <Outcome task={task.data} />
        <Button mt="md" variant="default" onClick={() => navigate({ search: {} })}>
          {t('area.bulk.again')}
        </Button>
      </>
    )
  return (
    <div className="panel padded">
      <h2 className="panel-title">{t(state === 'waiting' ? 'area.bulk.waiting' : 'area.bulk.running')}</h2>
      <Progress value={total ? (100 * done) / total : 100} animated size="lg" radius="xl" />
      <Group justify="space-between" mt="sm">
        <span style={{ color: 'var(--ink2)' }}>
          {t('area.bulk.progress', { done: number(done), total: total === null ? '…' : number(total) })}
        </span>
        <Button variant="default" size="compact-md" loading={stop.isPending} onClick={() => stop.mutate()}>
          {t('area.bulk.stop')}
        </Button>
      </Group>
    </div>
  )
}

const OUTCOMES = ['total', 'updated', 'unchanged', 'deleted', 'gone', 'refused'] as const

function Outcome({ task }: { task: BulkTask }) {
  const { t } = useTranslation()
  const good = task.state === 'completed'
  const Icon = good ? IconCircleCheck : IconAlertTriangle
  const title = { completed: 'done', cancelled: 'cancelled' }[task.state as string] ?? 'failed'
  return (
    <div className="panel padded">
      <h2 style={{ display: 'flex', alignItems: 'center', gap: 8, fontSize: 16 }}>
        <Icon size={22} color={good ? 'var(--yes)' : 'var(--warn)'} /> {t(`area.bulk.${title}`)}
      </h2>
      {task.error && <p>{task.error}</p>}
      <div className="kpis" style={{ margin: 0 }}>
        {OUTCOMES.filter((word) => task.result?.[word] !== undefined).map((word) => (
          <div className="kpi" key={word}>
            <div className="label">{t(`area.bulk.outcome.${word}`)}</div>
            <div className="value">{number(Number(task.result![word]))}</div>
          </div>
        ))}
      </div>
    </div>
  )
}
