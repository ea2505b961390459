import {
  Alert,
  Button,
  Checkbox,
  Group,
  MultiSelect,
  NumberInput,
  Select,
  Stack,
  Switch,
  Textarea,
  TextInput,
} from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useAccount, useTimeZones } from '../api/account'
import { ApiError } from '../api/client'
import type { Database } from '../api/databases'
import { errorText } from '../api/errorText'
import { useNamed } from '../api/lookups'
import {
  changePlan,
  createPlan,
  previewPlan,
  useForgetSources,
  type Connection,
  type Plan,
  type PlanOrder,
} from '../api/sources'
import { toast } from '../components/toasts'
import { settingText } from '../i18n'

const MATCHINGS = ['email', 'email_profile', 'email_sub', 'phone', 'phone_sub', 'email_phone', 'profile_id', 'none']
const MODES = ['create_update', 'create', 'update']

type Kind = PlanOrder['source']['kind']
type Timing = { kind: string; minutes?: number; at?: string; weekdays?: number[]; day?: number; once_at?: string }
type Given = {
  name: string
  database: string
  connection: string
  kind: Kind
  query: string
  table: string
  mask: string
  after: string
  folder: string
  column: string
  start: string
  restart: boolean
  mapping: Record<string, string>
  mode: string
  matching: string
  resource: string | null
  quiet: boolean
  timing: Timing
  zone: string | undefined
  active: boolean
}

function startOf(known: Plan | undefined, connections: Connection[], databases: Database[]): Given {
  const options = known?.options
  const mapping = Object.entries(options?.mapping ?? {}).map(([name, to]) => [
    name,
    typeof to === 'string' ? to : to.field,
  ])
  const first = connections.find((one) => one.id === known?.connection_id) ?? connections[0]
  return {
    name: known?.name ?? '',
    database: String(known?.database_id ?? databases[0]?.id ?? ''),
    connection: String(first?.id ?? ''),
    kind: known?.source.kind ?? (first?.kind === 'sql' ? 'query' : 'files'),
    query: known?.source.query ?? '',
    table: known?.source.table ?? '',
    mask: known?.source.mask ?? '*',
    after: known?.source.after ?? 'none',
    folder: known?.source.folder ?? '',
    column: known?.cursor_column ?? '',
    start: '',
    restart: false,
    mapping: Object.fromEntries(mapping) as Record<string, string>,
    mode: options?.mode ?? 'create_update',
    matching: options?.matching ?? 'email',
    resource: options?.resource_id ? String(options.resource_id) : null,
    quiet: options?.skip_triggers ?? false,
    timing: (known?.schedule as Timing | undefined) ?? { kind: 'daily', at: '03:00' },
    zone: known?.time_zone,
    active: known?.active ?? true,
  }
}

function orderOf(given: Given, known: Plan | undefined, zone: string): PlanOrder {
  const { kind } = given
  const mapping = Object.fromEntries(Object.entries(given.mapping).filter(([, field]) => field))
  /* What this form does not show stays as it was. */
  const kept = { ...(known?.options as Record<string, unknown> | undefined) }
  const before = (kept.mapping ?? {}) as Record<string, string | { field: string }>
  const detailed = Object.entries(mapping).map(([column, field]) => {
    const old = before[column]
    return [column, typeof old === 'object' && old.field === field ? old : field]
  })
  return {
    name: given.name,
    database_id: Number(given.database),
    connection_id: Number(given.connection),
    source: {
      ...(known?.source.kind === kind ? known.source : {}),
      kind,
      ...(kind === 'query' ? { query: given.query } : {}),
      ...(kind === 'table' ? { table: given.table } : {}),
      ...(kind === 'files' ? { mask: given.mask || '*', after: given.after, folder: given.folder } : {}),
    } as PlanOrder['source'],
    options: {
      ...kept,
      mapping: detailed.length ? Object.fromEntries(detailed) : null,
      mode: given.mode,
      matching: given.matching,
      resource_id: given.resource ? Number(given.resource) : null,
      skip_triggers: given.quiet,
    },
    schedule: given.timing,
    time_zone: zone,
    cursor_column: kind !== 'files' && given.column.trim() ? given.column.trim() : null,
    cursor_start: given.start.trim() || known?.cursor_value || null,
    active: given.active,
  }
}

type Props = { known: Plan | undefined; connections: Connection[]; databases: Database[] }

/** What a scheduled import reads, how it becomes profiles, and when. */
export function PlanForm({ known, connections, databases }: Props) {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const forget = useForgetSources()
  const account = useAccount()
  const zones = useTimeZones()
  const [given, setGiven] = useState(() => startOf(known, connections, databases))
  const put = (part: Partial<Given>) => setGiven((old) => ({ ...old, ...part }))
  const zone = given.zone ?? account.data?.time_zone ?? 'UTC'
  const order = orderOf(given, known, zone)
  const preview = useMutation({
    mutationFn: () => previewPlan({ ...order, name: order.name || '?' }),
    onSuccess: (seen) => {
      if (!Object.keys(given.mapping).length) put({ mapping: seen.mapping })
    },
  })
  const save = useMutation({
    mutationFn: () =>
      known ? changePlan(known.id, { ...order, revision: known.revision, restart: given.restart }) : createPlan(order),
    onSuccess: async (saved) => {
      toast.good(t('area.sources.saved'))
      await forget()
      await navigate({ to: '/import-plans/$id', params: { id: String(saved.id) } })
    },
  })
  const failure = save.error ?? preview.error
  const place = failure instanceof ApiError ? failure.place : undefined
  const wrong = (name: string) => (place === name ? errorText(failure) : undefined)
  const connection = connections.find((one) => String(one.id) === given.connection)
  const kinds: Kind[] = connection?.kind === 'sql' ? ['query', 'table'] : ['files']
  const shown = ['name', 'source.query', 'source.table', 'source.mask', 'query', 'cursor_column', 'cursor_start']
  return (
    <Stack gap="md" className="panel padded">
      {failure && !shown.includes(place ?? '') && (
        <Alert color="red" variant="light" role="alert">
          {errorText(failure)}
        </Alert>
      )}
      <TextInput
        label={t('area.sources.name')}
        maxLength={200}
        value={given.name}
        error={wrong('name')}
        onChange={(event) => put({ name: event.currentTarget.value })}
      />
      <Group grow align="flex-start">
        <Select
          label={t('area.sources.connection')}
          allowDeselect={false}
          data={connections.map(({ id, name }) => ({ value: String(id), label: name }))}
          value={given.connection}
          onChange={(id) => {
            const sql = connections.find((one) => String(one.id) === id)?.kind === 'sql'
            if (id) put({ connection: id, kind: sql ? 'query' : 'files' })
          }}
        />
        <Select
          label={t('area.sources.database')}
          allowDeselect={false}
          data={databases.map(({ id, name }) => ({ value: String(id), label: name }))}
          value={given.database}
          onChange={(id) => id && put({ database: id, mapping: {} })}
        />
      </Group>
      {kinds.length > 1 && (
        <Select
          label={t('area.sources.source')}
          allowDeselect={false}
          data={kinds.map((word) => ({ value: word, label: t(`area.sources.sources.${word}`) }))}
          value={given.kind}
          onChange={(word) => word && put({ kind: word as Kind })}
        />
      )}
      <Source given={given} put={put} known={known} wrong={wrong} />
      <Group>
        <Button variant="default" loading={preview.isPending} onClick={() => preview.mutate()}>
          {t('area.sources.preview')}
        </Button>
        {!!preview.data?.files.length && (
          <span style={{ color: 'var(--ink2)' }}>
            {t('area.sources.filesFound', { names: preview.data.files.join(', ') })}
          </span>
        )}
      </Group>
      <Columns
        header={preview.data?.header ?? Object.keys(given.mapping)}
        rows={preview.data?.rows ?? []}
        fields={databases.find((one) => String(one.id) === given.database)?.fields ?? []}
        mapping={given.mapping}
        onChange={(mapping) => put({ mapping })}
      />
      <Actions given={given} put={put} />
      <When timing={given.timing} onChange={(timing) => put({ timing })} />
      <Select
        label={t('area.sources.zone')}
        searchable
        allowDeselect={false}
        data={zones.data ?? [zone]}
        value={zone}
        error={wrong('time_zone')}
        onChange={(next) => next && put({ zone: next })}
      />
      <Switch
        label={t('area.sources.active')}
        checked={given.active}
        onChange={(event) => put({ active: event.currentTarget.checked })}
      />
      <Button
        style={{ alignSelf: 'flex-start' }}
        disabled={!given.name.trim()}
        loading={save.isPending}
        onClick={() => save.mutate()}
      >
        {t('save')}
      </Button>
    </Stack>
  )
}

type Part = { given: Given; put: (part: Partial<Given>) => void }

function Source({ given, put, known, wrong }: Part & { known?: Plan; wrong: (name: string) => string | undefined }) {
  const { t } = useTranslation()
  if (given.kind === 'files')
    return (
      <>
        <Group grow align="flex-start">
          <TextInput
            label={t('area.sources.mask')}
            description={t('area.sources.maskHint')}
            value={given.mask}
            error={wrong('source.mask')}
            onChange={(event) => put({ mask: event.currentTarget.value })}
          />
          <Select
            label={t('area.sources.after')}
            description=" "
            allowDeselect={false}
            data={['none', 'delete', 'move'].map((word) => ({ value: word, label: t(`area.sources.afters.${word}`) }))}
            value={given.after}
            onChange={(word) => word && put({ after: word })}
          />
        </Group>
        {given.after === 'move' && (
          <TextInput
            label={t('area.sources.folder')}
            value={given.folder}
            onChange={(event) => put({ folder: event.currentTarget.value })}
          />
        )}
        {known && (
          <Checkbox
            label={t('area.sources.restart')}
            checked={given.restart}
            onChange={(event) => put({ restart: event.currentTarget.checked })}
          />
        )}
      </>
    )
  return (
    <>
      {given.kind === 'query' ? (
        <Textarea
          label={t('area.sources.query')}
          description={t('area.sources.queryHint')}
          autosize
          minRows={4}
          styles={{ input: { fontFamily: 'ui-monospace, SFMono-Regular, Menlo, monospace', fontSize: 12.5 } }}
          value={given.query}
          error={wrong('source.query') ?? wrong('query')}
          onChange={(event) => put({ query: event.currentTarget.value })}
        />
      ) : (
        <TextInput
          label={t('area.sources.table')}
          value={given.table}
          error={wrong('source.table') ?? wrong('query')}
          onChange={(event) => put({ table: event.currentTarget.value })}
        />
      )}
      <Group grow align="flex-start">
        <TextInput
          label={t('area.sources.cursorColumn')}
          description={t('area.sources.cursorColumnHint')}
          value={given.column}
          error={wrong('cursor_column')}
          onChange={(event) => put({ column: event.currentTarget.value })}
        />
        <TextInput
          label={t('area.sources.cursorStart')}
          description={known?.cursor_value ? t('area.sources.cursorNow', { value: known.cursor_value }) : ' '}
          value={given.start}
          error={wrong('cursor_start')}
          disabled={!given.column.trim()}
          onChange={(event) => put({ start: event.currentTarget.value })}
        />
      </Group>
      {known?.cursor_value && (
        <Checkbox
          label={t('area.sources.restart')}
          checked={given.restart}
          onChange={(event) => put({ restart: event.currentTarget.checked })}
        />
      )}
    </>
  )
}

type ColumnsProps = {
  header: string[]
  rows: string[][]
  fields: Database['fields']
  mapping: Record<string, string>
  onChange: (mapping: Record<string, string>) => void
}

function Columns({ header, rows, fields, mapping, onChange }: ColumnsProps) {
  const { t } = useTranslation()
  if (!header.length) return null
  return (
    <div className="panel table-panel">
      <table className="table" aria-label={t('area.sources.columns')}>
        <tbody>
          {header.map((column, at) => (
            <tr key={column}>
              <td>
                <b style={{ fontWeight: 560 }}>{column}</b>
              </td>
              <td className="soft wrapping">
                {rows
                  .slice(0, 3)
                  .map((row) => row[at])
                  .filter(Boolean)
                  .join(' · ')}
              </td>
              <td style={{ width: 280 }}>
                <Select
                  aria-label={t('area.sources.goesTo', { column })}
                  placeholder={t('area.sources.ignore')}
                  clearable
                  searchable
                  data={fields.map(({ name, title }) => ({
                    value: name,
                    label: settingText(title),
                    disabled: Object.entries(mapping).some(([other, to]) => other !== column && to === name),
                  }))}
                  value={mapping[column] ?? null}
                  onChange={(field) => onChange({ ...mapping, [column]: field ?? '' })}
                />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Actions({ given, put }: Part) {
  const { t } = useTranslation()
  const resources = useNamed('resource')
  return (
    <>
      <Group grow align="flex-start">
        <Select
          label={t('area.sources.mode')}
          allowDeselect={false}
          data={MODES.map((word) => ({ value: word, label: t(`area.imports.modes.${word}`) }))}
          value={given.mode}
          onChange={(word) => word && put({ mode: word })}
        />
        <Select
          label={t('area.sources.matching')}
          allowDeselect={false}
          data={[...new Set([...MATCHINGS, given.matching])].map((word) => ({
            value: word,
            label: t(`area.imports.matchings.${word}`),
          }))}
          value={given.matching}
          onChange={(word) => word && put({ matching: word })}
        />
        <Select
          label={t('area.sources.subscribe')}
          placeholder={t('area.sources.subscribeNone')}
          clearable
          data={resources.items.map(({ id, name }) => ({ value: String(id), label: name }))}
          value={given.resource}
          onChange={(resource) => put({ resource })}
        />
      </Group>
      <Checkbox
        label={t('area.sources.quiet')}
        checked={given.quiet}
        onChange={(event) => put({ quiet: event.currentTarget.checked })}
      />
    </>
  )
}

const TIMINGS: Record<string, Timing> = {
  interval: { kind: 'interval', minutes: 60 },
  daily: { kind: 'daily', at: '03:00' },
  weekly: { kind: 'weekly', at: '03:00', weekdays: [1] },
  monthly: { kind: 'monthly', at: '03:00', day: 1 },
  once: { kind: 'once' },
}

function When({ timing, onChange }: { timing: Timing; onChange: (timing: Timing) => void }) {
  const { t } = useTranslation()
  const put = (part: Partial<Timing>) => onChange({ ...timing, ...part })
  return (
    <Group align="flex-end">
      <Select
        label={t('area.sources.schedule')}
        allowDeselect={false}
        style={{ flex: '1 1 220px' }}
        data={Object.keys(TIMINGS).map((word) => ({ value: word, label: t(`area.sources.schedules.${word}`) }))}
        value={timing.kind}
        onChange={(word) => word && onChange({ ...TIMINGS[word]!, ...(word === timing.kind ? timing : {}) })}
      />
      {timing.kind === 'interval' && (
        <NumberInput
          label={t('area.sources.minutes')}
          min={5}
          max={44_640}
          value={timing.minutes ?? 60}
          onChange={(value) => typeof value === 'number' && put({ minutes: value })}
        />
      )}
      {timing.kind === 'weekly' && (
        <MultiSelect
          label={t('area.sources.weekdays')}
          style={{ flex: '1 1 220px' }}
          data={[1, 2, 3, 4, 5, 6, 7].map((day) => ({ value: String(day), label: t(`area.sources.days.${day}`) }))}
          value={(timing.weekdays ?? []).map(String)}
          onChange={(days) => put({ weekdays: days.map(Number).sort() })}
        />
      )}
      {timing.kind === 'monthly' && (
        <NumberInput
          label={t('area.sources.day')}
          min={1}
          max={31}
          value={timing.day ?? 1}
          onChange={(value) => typeof value === 'number' && put({ day: value })}
        />
      )}
      {['daily', 'weekly', 'monthly'].includes(timing.kind) && (
        <TextInput
          label={t('area.sources.at')}
          type="time"
          value={timing.at ?? '03:00'}
          onChange={(event) => put({ at: event.currentTarget.value })}
        />
      )}
      {timing.kind === 'once' && (
        <TextInput
          label={t('area.sources.onceAt')}
          type="datetime-local"
          value={timing.once_at ? local(timing.once_at) : ''}
          onChange={(event) => {
            const moment = new Date(event.currentTarget.value)
            if (!Number.isNaN(moment.getTime())) put({ once_at: moment.toISOString() })
          }}
        />
      )}
    </Group>
  )
}

function local(iso: string) {
  const moment = new Date(iso)
  return new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}
