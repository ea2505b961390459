import {
  ActionIcon,
  Alert,
  Button,
  Checkbox,
  MultiSelect,
  NumberInput,
  Select,
  Stack,
  TagsInput,
  TextInput,
} from '@mantine/core'
import { IconAlertTriangle, IconPlus, IconTrash } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import type { Subscription } from '../api/imports'
import { useDatabases, useNamed } from '../api/lookups'
import { missingKeys, usualMatching } from './draft'
import type { PreviewedProps } from './steps'

const MATCHINGS = [
  'email', 'email_profile', 'email_sub', 'phone', 'phone_sub', 'email_phone', 'email_phone_sub', 'profile_id', 'push_sub', 'custom', 'none',
] as const // prettier-ignore
const MODES = ['create_update', 'create', 'update'] as const
const STATUSES = ['subscribed', 'unconfirmed', 'unsubscribed', 'suspended']

/** Whom the rows are matched with, and what happens to them besides their fields. */
export function ActionsStep(props: PreviewedProps) {
  const { t } = useTranslation()
  const { draft, put } = props
  return (
    <Stack gap="lg">
      <Matching {...props} />
      <section aria-label={t('area.imports.subscriptions')}>
        <h2>{t('area.imports.subscriptions')}</h2>
        <Stack gap="sm">
          {draft.subscriptions.map((plan, index) => (
            <SubscriptionRow
              key={index}
              plan={plan}
              columns={props.preview.header}
              onChange={(next) =>
                put({ subscriptions: draft.subscriptions.map((old, at) => (at === index ? next : old)) })
              }
              onRemove={() => put({ subscriptions: draft.subscriptions.filter((_, at) => at !== index) })}
            />
          ))}
          <AddSubscription {...props} />
          {draft.subscriptions.length > 0 && (
            <Checkbox
              label={t('area.imports.skipInvalid')}
              checked={draft.skipInvalid}
              onChange={(event) => put({ skipInvalid: event.currentTarget.checked })}
            />
          )}
        </Stack>
      </section>
      <Segments {...props} />
      <Checkbox
        label={t('area.imports.skipTriggers')}
        description={t('area.imports.skipTriggersText')}
        checked={draft.skipTriggers}
        onChange={(event) => put({ skipTriggers: event.currentTarget.checked })}
      />
    </Stack>
  )
}

function Matching({ draft, put, mapping }: PreviewedProps) {
  const { t } = useTranslation()
  const databases = useDatabases()
  const matching = draft.matching ?? usualMatching(mapping)
  const keys = databases.data?.find(({ id }) => id === draft.database)?.fields.filter((field) => field.matching) ?? []
  const missing = missingKeys(matching, draft.fieldName, draft, mapping)
  return (
    <section aria-label={t('area.imports.who')}>
      <h2>{t('area.imports.who')}</h2>
      <div className="import-grid">
        <Select
          label={t('area.imports.mode')}
          allowDeselect={false}
          data={MODES.map((value) => ({ value, label: t(`area.imports.modes.${value}`) }))}
          value={draft.mode}
          onChange={(mode) => put({ mode: mode as typeof draft.mode })}
        />
        <Select
          label={t('area.imports.matching')}
          allowDeselect={false}
          data={MATCHINGS.map((value) => ({ value, label: t(`area.imports.matchings.${value}`) }))}
          value={matching}
          onChange={(value) => put({ matching: value as typeof matching })}
        />
        {matching === 'custom' && (
          <Select
            label={t('imports.field')}
            data={keys.map(({ name, title }) => ({ value: name, label: title || name }))}
            nothingFoundMessage={t('area.imports.noKeyFields')}
            value={draft.fieldName}
            onChange={(fieldName) => put({ fieldName })}
          />
        )}
      </div>
      {missing.length > 0 && (
        <Alert color="yellow" variant="light" mt="sm" icon={<IconAlertTriangle size={17} />}>
          {t('area.imports.keyMissing')}
        </Alert>
      )}
    </section>
  )
}

function AddSubscription({ draft, put }: PreviewedProps) {
  const { t } = useTranslation()
  const resources = useNamed('resource')
  const first = resources.items[0]
  return (
    <Button
      variant="subtle"
      size="compact-sm"
      style={{ alignSelf: 'flex-start' }}
      leftSection={<IconPlus size={15} />}
      disabled={!first}
      onClick={() =>
        put({
          subscriptions: [
            ...draft.subscriptions,
            {
              resource_id: first!.id,
              channel: first!.channels?.[0] ?? 'email',
              column: null,
              status: null,
              priority: null,
            },
          ],
        })
      }
    >
      {t('area.imports.addSubscription')}
    </Button>
  )
}

type RowProps = {
  plan: Subscription
  columns: string[]
  onChange: (plan: Subscription) => void
  onRemove: () => void
}

function SubscriptionRow({ plan, columns, onChange, onRemove }: RowProps) {
  const { t } = useTranslation()
  const resources = useNamed('resource')
  const chosen = resources.items.find(({ id }) => id === plan.resource_id)
  const put = (part: Partial<Subscription>) => onChange({ ...plan, ...part })
  const ownColumn = !['email', 'sms'].includes(plan.channel)
  return (
    <div className="import-subscription">
      <Select
        label={t('area.imports.resource')}
        allowDeselect={false}
        data={resources.items.map(({ id, name }) => ({ value: String(id), label: name }))}
        value={String(plan.resource_id)}
        onChange={(id) => put({ resource_id: Number(id) })}
      />
      <Select
        label={t('area.imports.channel')}
        allowDeselect={false}
        data={(chosen?.channels ?? ['email']).map((value) => ({ value, label: t(`channel.${value}`) }))}
        value={plan.channel}
        onChange={(channel) => put({ channel: channel ?? 'email' })}
      />
      <Select
        label={t('area.imports.contact')}
        placeholder={ownColumn ? undefined : t(`area.imports.contacts.${plan.channel}`)}
        clearable={!ownColumn}
        error={ownColumn && !plan.column ? t('area.imports.contactNeeded') : undefined}
        data={columns}
        value={plan.column ?? null}
        onChange={(column) => put({ column })}
      />
      <Select
        label={t('area.imports.status')}
        placeholder={t('area.imports.statusUsual')}
        clearable
        data={STATUSES.map((value) => ({ value, label: t(`area.imports.statuses.${value}`) }))}
        value={plan.status ?? null}
        onChange={(status) => put({ status })}
      />
      <NumberInput
        label={t('area.imports.priority')}
        placeholder="0"
        min={0}
        max={32767}
        value={plan.priority ?? ''}
        onChange={(value) => put({ priority: value === '' ? null : Number(value) })}
      />
      <TagsInput
        label={t('area.imports.categories')}
        placeholder={plan.cats?.length ? undefined : t('area.imports.categoriesLeft')}
        value={plan.cats ?? []}
        onChange={(cats) => put({ cats: cats.length ? cats : null })}
      />
      <ActionIcon
        variant="subtle"
        color="gray"
        mt={24}
        aria-label={t('area.imports.dropSubscription')}
        onClick={onRemove}
      >
        <IconTrash size={17} />
      </ActionIcon>
    </div>
  )
}

function Segments({ draft, put }: PreviewedProps) {
  const { t } = useTranslation()
  const segments = useNamed('segment')
  const choices = segments.items
    .filter((segment) => segment.kind === 'static' && segment.database_id === draft.database)
    .map(({ id, name }) => ({ value: String(id), label: name }))
  return (
    <section aria-label={t('area.imports.segments')}>
      <h2>{t('area.imports.segments')}</h2>
      <div className="import-grid">
        <MultiSelect
          label={t('area.imports.addTo')}
          searchable
          data={choices}
          value={draft.addTo.map(String)}
          onChange={(ids) => put({ addTo: ids.map(Number) })}
        />
        <TextInput
          label={t('area.imports.newSegment')}
          placeholder={t('area.imports.newSegmentName')}
          maxLength={200}
          value={draft.newSegment}
          onChange={(event) => put({ newSegment: event.currentTarget.value })}
        />
        <MultiSelect
          label={t('area.imports.removeFrom')}
          searchable
          data={choices}
          value={draft.removeFrom.map(String)}
          onChange={(ids) => put({ removeFrom: ids.map(Number) })}
        />
      </div>
    </section>
  )
}
