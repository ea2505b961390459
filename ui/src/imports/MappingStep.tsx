import { ActionIcon, Badge, Button, Checkbox, Popover, Select, Stack, TextInput, Tooltip } from '@mantine/core'
import { IconAdjustments, IconAlertTriangle, IconPlus, IconX } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import type { ColumnPreview, Target } from '../api/imports'
import { useDatabases, type Field } from '../api/lookups'
import { number, share } from '../format/numbers'
import { DATE_FORMATS, readableFormat } from './dateFormats'
import { targetOf, type Mapping } from './draft'
import { useReason } from './reasons'
import type { PreviewedProps } from './steps'

const REGIONS = ['RU', 'BY', 'KZ', 'UA', 'US', 'GB', 'DE', 'FR', 'ES', 'IT', 'PL', 'TR', 'IN', 'BR', 'CN']

type Props = PreviewedProps & { judged: ColumnPreview[]; guessed: ColumnPreview[] }

/** Where each column goes, why, and what of its cells would be refused. */
export function MappingStep({ draft, put, preview, mapping, judged, guessed }: Props) {
  const { t } = useTranslation()
  const databases = useDatabases()
  const fields = databases.data?.find(({ id }) => id === draft.database)?.fields ?? []
  const set = (column: string, target: Target | null) => {
    const next: Mapping = { ...mapping }
    if (target) next[column] = target
    else delete next[column]
    put({ mapping: next })
  }
  return (
    <>
      <div className="panel table-panel">
        <table className="table import-mapping">
          <thead>
            <tr>
              <th>{t('area.imports.column')}</th>
              <th>{t('area.imports.samples')}</th>
              <th style={{ width: 280 }}>{t('area.imports.goesTo')}</th>
              <th>{t('area.imports.problems')}</th>
            </tr>
          </thead>
          <tbody>
            {judged.map((column) => (
              <ColumnRow
                key={column.name}
                column={column}
                guess={guessed.find(({ name }) => name === column.name)}
                target={mapping[column.name] ?? null}
                fields={fields}
                taken={
                  new Set(Object.entries(mapping).flatMap(([name, to]) => (name === column.name ? [] : [to.field])))
                }
                lookedAt={preview.looked_at}
                onChange={(target) => set(column.name, target)}
              />
            ))}
          </tbody>
        </table>
      </div>
      <Constants
        fields={fields.filter(({ name }) => !Object.values(mapping).some(({ field }) => field === name))}
        draft={draft}
        put={put}
      />
    </>
  )
}

type RowProps = {
  column: ColumnPreview
  guess: ColumnPreview | undefined
  target: Target | null
  fields: Field[]
  taken: Set<string>
  lookedAt: number
  onChange: (target: Target | null) => void
}

function ColumnRow({ column, guess, target, fields, taken, lookedAt, onChange }: RowProps) {
  const { t } = useTranslation()
  const field = fields.find(({ name }) => name === target?.field)
  const own = fields.map(({ name, title }) => ({ value: name, label: title || name, disabled: taken.has(name) }))
  const keys = ['profile_id', '_subscriptions', '_provider', '_subscription_id'].map((value) => ({
    value,
    label: t(`area.imports.special.${value}`),
    disabled: taken.has(value),
  }))
  const guessStands = target && guess?.target?.field === target.field && guess.because
  return (
    <tr>
      <td>
        <b>{column.name}</b>
        <div className="soft">{t('area.imports.filled', { share: share(column.filled, lookedAt) })}</div>
      </td>
      <td className="soft import-samples">
        {column.samples.map((sample) => (
          <div key={sample} title={sample}>
            {sample}
          </div>
        ))}
      </td>
      <td>
        <div style={{ display: 'flex', gap: 4, alignItems: 'center' }}>
          <Select
            aria-label={t('area.imports.targetOf', { column: column.name })}
            placeholder={t('area.imports.ignore')}
            clearable
            searchable
            style={{ flex: 1 }}
            data={[
              { group: t('area.imports.fields'), items: own },
              { group: t('area.imports.keys'), items: keys },
            ]}
            value={target?.field ?? null}
            onChange={(name) => onChange(name === null ? null : targetOf(name))}
          />
          {target && field && <TargetSettings target={target} field={field} onChange={onChange} />}
        </div>
        {guessStands && (
          <div className="soft" style={{ marginTop: 4, fontSize: 12 }}>
            {t(`area.imports.because.${guess.because}`)}
            {guess.confidence === 'low' && (
              <Badge ml={6} size="xs" color="yellow" variant="light">
                {t('area.imports.unsure')}
              </Badge>
            )}
          </div>
        )}
        {target && <TargetWords target={target} />}
      </td>
      <td>
        <Problems column={column} lookedAt={lookedAt} />
      </td>
    </tr>
  )
}

function TargetWords({ target }: { target: Target }) {
  const { t } = useTranslation()
  const words = [
    target.date_format && t('area.imports.words.date', { format: readableFormat(target.date_format) }),
    target.phone_region && t('area.imports.words.phone', { region: target.phone_region }),
    target.decimal && t('area.imports.words.decimal', { sign: target.decimal }),
    target.separator !== ',' && t('area.imports.words.separator', { sign: target.separator }),
    target.add && t('area.imports.words.add'),
    target.clear_empty && t('area.imports.words.clear'),
  ].filter(Boolean)
  return words.length ? (
    <div className="soft" style={{ fontSize: 12 }}>
      {words.join('; ')}
    </div>
  ) : null
}

function TargetSettings({ target, field, onChange }: { target: Target; field: Field; onChange: (to: Target) => void }) {
  const { t } = useTranslation()
  const put = (part: Partial<Target>) => onChange({ ...target, ...part })
  const numeric = field.type === 'integer' || field.type === 'float'
  if (field.type === 'email') return null
  return (
    <Popover position="bottom-end" withArrow shadow="md" trapFocus>
      <Popover.Target>
        <Tooltip label={t('area.imports.settings')}>
          <ActionIcon variant="subtle" color="gray" aria-label={`${t('area.imports.settings')}: ${field.title}`}>
            <IconAdjustments size={17} />
          </ActionIcon>
        </Tooltip>
      </Popover.Target>
      <Popover.Dropdown>
        <Stack gap="sm" w={270}>
          {field.type === 'date' && (
            <Select
              label={t('area.imports.dateFormat')}
              placeholder={t('area.imports.automatic')}
              clearable
              searchable
              comboboxProps={{ withinPortal: false }}
              data={[...new Set([...DATE_FORMATS, ...(target.date_format ? [target.date_format] : [])])].map(
                (value) => ({ value, label: readableFormat(value) }),
              )}
              value={target.date_format ?? null}
              onChange={(date_format) => put({ date_format })}
            />
          )}
          {field.type === 'phones' && (
            <Select
              label={t('area.imports.region')}
              description={t('area.imports.regionText')}
              placeholder={t('area.imports.regionNone')}
              clearable
              searchable
              comboboxProps={{ withinPortal: false }}
              data={REGIONS}
              value={target.phone_region ?? null}
              onChange={(phone_region) => put({ phone_region })}
            />
          )}
          {numeric && (
            <Select
              label={t('area.imports.decimal')}
              placeholder={t('area.imports.automatic')}
              clearable
              comboboxProps={{ withinPortal: false }}
              data={[
                { value: '.', label: t('area.imports.decimals.point') },
                { value: ',', label: t('area.imports.decimals.comma') },
              ]}
              value={target.decimal ?? null}
              onChange={(decimal) => put({ decimal: decimal as Target['decimal'] })}
            />
          )}
          {field.type === 'tags' && (
            <>
              <TextInput
                label={t('area.imports.separator')}
                maxLength={1}
                value={target.separator}
                onChange={(event) => put({ separator: event.currentTarget.value || ',' })}
              />
              <Checkbox
                label={t('area.imports.addTags')}
                checked={target.add}
                onChange={(event) => put({ add: event.currentTarget.checked })}
              />
            </>
          )}
          {!target.add && (
            <Checkbox
              label={t('area.imports.clearEmpty')}
              description={t('area.imports.clearEmptyText')}
              checked={target.clear_empty}
              onChange={(event) => put({ clear_empty: event.currentTarget.checked })}
            />
          )}
        </Stack>
      </Popover.Dropdown>
    </Popover>
  )
}

function Problems({ column, lookedAt }: { column: ColumnPreview; lookedAt: number }) {
  const { t } = useTranslation()
  const words = useReason()
  if (column.ambiguous_date) return <span className="import-warning">{t('area.imports.ambiguousDate')}</span>
  if (!column.problems.length)
    return column.target ? <span className="soft">{t('area.imports.noProblems')}</span> : null
  return (
    <>
      {column.problems.slice(0, 2).map((problem) => (
        <div key={problem.reason} className="import-warning">
          <IconAlertTriangle size={15} aria-hidden />
          <span>
            {t('area.imports.ofRows', { count: problem.count, number: number(problem.count), all: number(lookedAt) })}{' '}
            {words(problem.reason)}
            <span className="soft">
              {problem.examples.map(({ line, text }) => (
                <span key={line} style={{ display: 'block' }}>
                  {t('area.imports.atLine', { line: number(line) })} {text || '–'}
                </span>
              ))}
            </span>
          </span>
        </div>
      ))}
    </>
  )
}

function Constants({ fields, draft, put }: Pick<Props, 'draft' | 'put'> & { fields: Field[] }) {
  const { t } = useTranslation()
  const change = (index: number, part: Partial<(typeof draft.constants)[number]>) =>
    put({ constants: draft.constants.map((item, at) => (at === index ? { ...item, ...part } : item)) })
  return (
    <Stack gap="xs" mt="md">
      {draft.constants.map((item, index) => (
        <div key={index} style={{ display: 'flex', gap: 8, alignItems: 'flex-end', maxWidth: 620 }}>
          <Select
            label={t('imports.field')}
            searchable
            style={{ flex: 1 }}
            data={fields
              .filter(({ name }) => name !== 'email')
              .map(({ name, title }) => ({ value: name, label: title || name }))}
            value={item.field || null}
            onChange={(field) => change(index, { field: field ?? '' })}
          />
          <TextInput
            label={t('area.imports.constant')}
            style={{ flex: 1 }}
            value={item.value}
            onChange={(event) => change(index, { value: event.currentTarget.value })}
          />
          <ActionIcon
            variant="subtle"
            color="gray"
            mb={4}
            aria-label={t('area.imports.dropConstant')}
            onClick={() => put({ constants: draft.constants.filter((_, at) => at !== index) })}
          >
            <IconX size={16} />
          </ActionIcon>
        </div>
      ))}
      <Button
        variant="subtle"
        size="compact-sm"
        style={{ alignSelf: 'flex-start' }}
        leftSection={<IconPlus size={15} />}
        onClick={() => put({ constants: [...draft.constants, { field: '', value: '' }] })}
      >
        {t('area.imports.addConstant')}
      </Button>
    </Stack>
  )
}
