import { Loader, Radio, Select, Table } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import type { EditPreview as Preview, Moves } from '../api/scenarios'
import { number } from '../format/numbers'

const SHOWN = 12

type Props = {
  preview: Preview | undefined
  takeAlong: boolean
  moves: Moves
  onChange: (takeAlong: boolean, moves: Moves) => void
}

/** What an edit changes, and what becomes of everybody inside. */
export function EditPreview({ preview, takeAlong, moves, onChange }: Props) {
  const { t } = useTranslation()
  if (!preview)
    return (
      <p style={{ color: 'var(--ink2)' }}>
        <Loader size={14} mr={8} />
        {t('area.editing.loading')}
      </p>
    )
  const more = preview.changes.length - SHOWN
  return (
    <>
      {preview.changes.length > 0 && (
        <section aria-label={t('area.editing.changes')}>
          <b>{t('area.editing.changes')}</b>
          <ul style={{ margin: '6px 0 0', paddingLeft: 18 }}>
            {preview.changes.slice(0, SHOWN).map((change, index) => (
              <li key={index}>{change.text}</li>
            ))}
            {more > 0 && <li>{t('area.editing.more', { count: more })}</li>}
          </ul>
        </section>
      )}
      {preview.waiting.length > 0 && (
        <>
          <Radio.Group
            mt="md"
            label={t('area.editing.inside')}
            value={takeAlong ? 'along' : 'new'}
            onChange={(value) => onChange(value === 'along', moves)}
          >
            <Radio mt={6} value="new" label={t('area.editing.newOnly')} description={t('area.editing.newOnlyHint')} />
            <Radio mt={8} value="along" label={t('area.editing.along')} description={t('area.editing.alongHint')} />
          </Radio.Group>
          <WhoIsInside preview={preview} takeAlong={takeAlong} moves={moves} onChange={onChange} />
        </>
      )}
    </>
  )
}

function WhoIsInside({ preview, takeAlong, moves, onChange }: Props & { preview: Preview }) {
  const { t } = useTranslation()
  const targets = [
    { value: 'stay', label: t('area.editing.stay') },
    { value: 'exit', label: t('area.editing.exit') },
    ...preview.targets.map(({ id, title }) => ({ value: String(id), label: title })),
  ]
  return (
    <Table mt="md" fz="sm" verticalSpacing={6}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>{t('area.editing.step')}</Table.Th>
          <Table.Th ta="right">{t('area.editing.people')}</Table.Th>
          <Table.Th ta="right">{t('area.editing.hour')}</Table.Th>
          <Table.Th ta="right">{t('area.editing.day')}</Table.Th>
          {takeAlong && <Table.Th>{t('area.editing.goTo')}</Table.Th>}
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {preview.waiting.map((group) => (
          <Table.Tr key={`${group.version} ${group.node_id}`}>
            <Table.Td>
              {group.title}
              <small style={{ display: 'block', color: 'var(--ink2)' }}>
                {t('area.editing.version', { number: group.version })}
              </small>
            </Table.Td>
            <Table.Td ta="right">{number(group.people)}</Table.Td>
            <Table.Td ta="right">{number(group.due_in_hour)}</Table.Td>
            <Table.Td ta="right">{number(group.due_in_day)}</Table.Td>
            {takeAlong && (
              <Table.Td>
                {group.fate === 'moves' ? (
                  t('area.editing.keeps')
                ) : (
                  <Select
                    size="xs"
                    searchable
                    allowDeselect={false}
                    aria-label={`${group.title}: ${t('area.editing.goTo')}`}
                    data={targets}
                    value={String(moves[group.node_id] ?? 'stay')}
                    onChange={(value) => onChange(true, { ...moves, [group.node_id]: destination(value) })}
                  />
                )}
              </Table.Td>
            )}
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  )
}

const destination = (value: string | null) => (value === 'stay' || value === 'exit' ? value : Number(value))
