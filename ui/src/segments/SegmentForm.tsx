import {
  Alert,
  Button,
  NumberInput,
  RangeSlider,
  SegmentedControl,
  Select,
  Stack,
  Text,
  Textarea,
  TextInput,
} from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { ApiError } from '../api/client'
import { errorText, problemText } from '../api/errorText'
import { useDatabases } from '../api/lookups'
import { changeSegment, createSegment, useForgetSegments, type Draft, type Kind, type Segment } from '../api/segments'
import { toast } from '../components/toasts'
import { RulesField } from '../forms/rules/RulesField'
import { CountPanel } from './CountPanel'
import { KINDS } from './SegmentsPage'

const EMPTY: Draft = { name: '', description: '', rules: null, sample: null, most: null, schedule: null, tags: [] }

const draftOf = ({ name, description, rules, sample, most, schedule, tags }: Segment): Draft => ({
  name,
  description,
  rules,
  sample: sample as Draft['sample'],
  most,
  schedule: schedule as Draft['schedule'],
  tags,
})

/** Everything about a segment that is written by hand, with the live count beside it. */
export function SegmentForm({ segment }: { segment?: Segment }) {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const forget = useForgetSegments()
  const databases = useDatabases()
  const [draft, setDraft] = useState<Draft>(segment ? draftOf(segment) : EMPTY)
  const [kind, setKind] = useState<Kind>(segment?.kind ?? 'dynamic')
  const [chosen, choose] = useState<number | undefined>(segment?.database_id)
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const database = chosen ?? databases.data?.[0]?.id
  const put = (part: Partial<Draft>) => setDraft({ ...draft, ...part })
  const save = async () => {
    setBusy(true)
    setError(undefined)
    try {
      if (segment) {
        await changeSegment(segment.id, segment.revision, draft)
        toast.good(t('area.segments.saved'))
      } else {
        const made = await createSegment(database!, kind, kind === 'static' ? { ...EMPTY, ...named(draft) } : draft)
        toast.good(t('area.segments.created'))
        await navigate({ to: '/segments/$id', params: { id: String(made.id) } })
      }
      await forget()
    } catch (failure) {
      setError(failure)
    }
    setBusy(false)
  }
  if (database === undefined) return null
  return (
    <div style={{ display: 'grid', gridTemplateColumns: 'minmax(0, 1fr) 320px', gap: 18, alignItems: 'start' }}>
      <Stack gap="md">
        <section className="panel padded">
          <Stack gap="md">
            {error !== undefined && <Failure error={error} />}
            <TextInput
              label={t('area.segments.name')}
              required
              maxLength={200}
              value={draft.name}
              onChange={(event) => put({ name: event.currentTarget.value })}
            />
            <Textarea
              label={t('area.segments.description')}
              autosize
              minRows={1}
              maxLength={2000}
              value={draft.description}
              onChange={(event) => put({ description: event.currentTarget.value })}
            />
            {!segment && (
              <>
                <Select
                  label={t('area.segments.database')}
                  allowDeselect={false}
                  data={databases.data?.map(({ id, name }) => ({ value: String(id), label: name })) ?? []}
                  value={String(database)}
                  onChange={(id) => {
                    choose(Number(id))
                    put({ rules: null })
                  }}
                />
                <div>
                  <Text size="sm" fw={500} mb={4}>
                    {t('area.segments.kind')}
                  </Text>
                  <SegmentedControl
                    data={KINDS.map((word) => ({ value: word, label: t(`area.segments.kinds.${word}`) }))}
                    value={kind}
                    onChange={(word) => setKind(word as Kind)}
                  />
                  <Text size="sm" c="var(--ink2)" mt={6}>
                    {t(`area.segments.kindTexts.${kind}`)} {t('area.segments.fixed')}
                  </Text>
                </div>
              </>
            )}
          </Stack>
        </section>
        {kind !== 'static' && (
          <section className="panel padded" aria-label={t('area.segments.whoFits')}>
            <h2 className="panel-title">{t('area.segments.whoFits')}</h2>
            <RulesField
              key={database}
              name="rules"
              schema={{}}
              label=""
              hint={draft.rules ? undefined : t('area.segments.everybody')}
              required={false}
              error={undefined}
              value={draft.rules ?? {}}
              context={{ database, steps: [], nodeType: '', disabled: false }}
              onChange={(rules) => put({ rules: filled(rules) })}
            />
            <div style={{ display: 'grid', gridTemplateColumns: '1fr 1fr', gap: 24, marginTop: 22 }}>
              <ShareFields draft={draft} put={put} />
              <NumberInput
                label={t('area.segments.most')}
                description={t('area.segments.mostHint')}
                min={1}
                allowDecimal={false}
                value={draft.most ?? ''}
                onChange={(most) => put({ most: typeof most === 'number' ? most : null })}
              />
            </div>
            {kind === 'updatable' && <ScheduleFields draft={draft} put={put} />}
          </section>
        )}
        <Button
          size="md"
          style={{ alignSelf: 'flex-start' }}
          loading={busy}
          disabled={!draft.name.trim()}
          onClick={save}
        >
          {t('area.segments.save')}
        </Button>
      </Stack>
      {kind !== 'static' && (
        <CountPanel
          question={{ database_id: database, rules: draft.rules, sample: draft.sample, most: draft.most }}
          segment={segment}
        />
      )}
    </div>
  )
}

const named = ({ name, description, tags }: Draft) => ({ name, description, tags })

const filled = (rules: unknown) =>
  typeof rules === 'object' && rules && Object.keys(rules).length ? (rules as Record<string, unknown>) : null

function Failure({ error }: { error: unknown }) {
  const problems = error instanceof ApiError ? error.problems : []
  return (
    <Alert color="red" variant="light" role="alert">
      {problems.length > 1
        ? problems.map((problem, index) => <div key={index}>{problemText(problem)}</div>)
        : errorText(error)}
    </Alert>
  )
}

type PartProps = { draft: Draft; put: (part: Partial<Draft>) => void }

function ShareFields({ draft: { sample }, put }: PartProps) {
  const { t } = useTranslation()
  const { start = 0, end = 100, group = '' } = sample ?? {}
  const whole = start === 0 && end === 100
  const set = (low: number, high: number, name: string) =>
    put({ sample: low === 0 && high === 100 ? null : { start: low, end: high, group: name } })
  return (
    <div>
      <Text size="sm" fw={500}>
        {t('area.segments.range')}: {start}–{end} %
      </Text>
      <Text size="xs" c="var(--ink2)" mb={10}>
        {t('area.segments.rangeHint')}
      </Text>
      <RangeSlider
        min={0}
        max={100}
        minRange={1}
        label={(value) => `${value} %`}
        thumbFromLabel={t('area.bulk.from')}
        thumbToLabel={t('area.bulk.to')}
        value={[start, end]}
        onChange={([low, high]) => set(low, high, group)}
      />
      {!whole && (
        <TextInput
          mt="sm"
          size="xs"
          label={t('area.segments.draw')}
          maxLength={100}
          value={group}
          onChange={(event) => set(start, end, event.currentTarget.value)}
        />
      )}
    </div>
  )
}

function ScheduleFields({ draft: { schedule }, put }: PartProps) {
  const { t } = useTranslation()
  const way = schedule?.every_minutes !== undefined ? 'minutes' : schedule?.daily_at !== undefined ? 'daily' : 'auto'
  return (
    <div style={{ display: 'grid', gridTemplateColumns: '1fr 1fr', gap: 24, marginTop: 18 }}>
      <Select
        label={t('area.segments.schedule')}
        description={t('area.segments.scheduleHint')}
        allowDeselect={false}
        data={['auto', 'minutes', 'daily'].map((word) => ({
          value: word,
          label: t(`area.segments.schedules.${word}`),
        }))}
        value={way}
        onChange={(word) =>
          put({
            schedule: word === 'minutes' ? { every_minutes: 60 } : word === 'daily' ? { daily_at: '06:00' } : null,
          })
        }
      />
      {way === 'minutes' && (
        <NumberInput
          label={t('area.segments.minutes')}
          style={{ alignSelf: 'end' }}
          min={5}
          max={10_080}
          value={schedule?.every_minutes}
          onChange={(minutes) => put({ schedule: { every_minutes: typeof minutes === 'number' ? minutes : 60 } })}
        />
      )}
      {way === 'daily' && (
        <TextInput
          label={t('area.segments.dailyAt')}
          style={{ alignSelf: 'end' }}
          type="time"
          value={schedule?.daily_at ?? ''}
          onChange={(event) => put({ schedule: { daily_at: event.currentTarget.value || '06:00' } })}
        />
      )}
    </div>
  )
}
