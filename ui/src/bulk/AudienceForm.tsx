import { Button, Group, NumberInput, RangeSlider, Select, Stack, Text } from '@mantine/core'
import { IconFilterPlus } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Audience } from '../api/bulk'
import { useDatabases, useNamed } from '../api/lookups'
import { RulesField } from '../forms/rules/RulesField'

type Props = { audience: Audience; onChange: (audience: Audience) => void }

/** Whom an export or an update is about. */
export function AudienceForm({ audience, onChange }: Props) {
  const { t } = useTranslation()
  const databases = useDatabases()
  const segments = useNamed('segment')
  const [withRules, setWithRules] = useState(!!audience.rules)
  const put = (part: Partial<Audience>) => onChange({ ...audience, ...part })
  const chosen = audience.profiles?.length ?? 0
  const own = segments.items.filter((segment) => segment.database_id === audience.database_id)
  return (
    <Stack gap="md">
      <div style={{ display: 'grid', gridTemplateColumns: '1fr 1fr', gap: 14 }}>
        <Select
          label={t('area.bulk.database')}
          allowDeselect={false}
          data={databases.data?.map(({ id, name }) => ({ value: String(id), label: name })) ?? []}
          value={String(audience.database_id)}
          onChange={(id) => onChange({ database_id: Number(id) })}
        />
        <Select
          label={t('area.bulk.segment')}
          placeholder={t('area.bulk.everybody')}
          clearable
          searchable
          data={own.map(({ id, name }) => ({ value: String(id), label: name }))}
          value={audience.segment_id ? String(audience.segment_id) : null}
          onChange={(id) => put({ segment_id: id === null ? undefined : Number(id) })}
        />
      </div>
      {chosen > 0 && (
        <Group gap={10}>
          <Text size="sm" fw={600}>
            {t('area.bulk.chosen', { count: chosen })}
          </Text>
          <Button size="compact-xs" variant="subtle" onClick={() => put({ profiles: undefined })}>
            {t('area.bulk.dropChosen')}
          </Button>
        </Group>
      )}
      {withRules ? (
        <RulesField
          key={audience.database_id}
          name="rules"
          schema={{}}
          label={t('area.bulk.rules')}
          hint={undefined}
          required={false}
          error={undefined}
          value={audience.rules ?? {}}
          context={{ database: audience.database_id, steps: [], nodeType: '', disabled: false }}
          onChange={(rules) => put({ rules: hasRules(rules) ? rules : undefined })}
        />
      ) : (
        <Button
          variant="default"
          size="compact-sm"
          style={{ alignSelf: 'flex-start' }}
          leftSection={<IconFilterPlus size={15} />}
          onClick={() => setWithRules(true)}
        >
          {t('area.bulk.addRules')}
        </Button>
      )}
      <div style={{ display: 'grid', gridTemplateColumns: '1fr 1fr', gap: 24 }}>
        <RangeField audience={audience} put={put} />
        <NumberInput
          label={t('area.bulk.most')}
          description={t('area.bulk.mostHint')}
          min={1}
          allowDecimal={false}
          thousandSeparator=" "
          value={audience.most ?? ''}
          onChange={(most) => put({ most: typeof most === 'number' ? most : undefined })}
        />
      </div>
    </Stack>
  )
}

function RangeField({ audience, put }: { audience: Audience; put: (part: Partial<Audience>) => void }) {
  const { t } = useTranslation()
  const start = audience.range?.start ?? 0
  const end = audience.range?.end ?? 100
  return (
    <div>
      <Text size="sm" fw={500}>
        {t('area.bulk.range')}: {start}–{end} %
      </Text>
      <Text size="xs" c="var(--ink2)" mb={10}>
        {t('area.bulk.rangeHint')}
      </Text>
      <RangeSlider
        min={0}
        max={100}
        minRange={1}
        label={(value) => `${value} %`}
        thumbFromLabel={t('area.bulk.from')}
        thumbToLabel={t('area.bulk.to')}
        value={[start, end]}
        onChange={([low, high]) =>
          put({ range: low === 0 && high === 100 ? undefined : { start: low, end: high, group: '' } })
        }
      />
    </div>
  )
}

const hasRules = (rules: unknown): rules is Record<string, unknown> =>
  typeof rules === 'object' && rules !== null && Object.keys(rules).length > 0
