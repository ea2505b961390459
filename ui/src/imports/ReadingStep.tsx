import { Alert, Checkbox, Select } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { number } from '../format/numbers'
import { useReason } from './reasons'
import type { PreviewedProps } from './steps'

const ENCODINGS = ['utf-8', 'utf-8-sig', 'utf-16', 'cp1251', 'cp1252', 'koi8-r', 'cp866', 'cp1250', 'iso-8859-1']
const DELIMITERS = { ',': 'comma', ';': 'semicolon', '\t': 'tab', '|': 'pipe' } as const
const QUOTES = { '"': 'double', "'": 'single', '': 'none' } as const

/** How the files are read, and what comes of it. */
export function ReadingStep({ draft, put, preview }: PreviewedProps) {
  const { t } = useTranslation()
  const set = (part: Partial<typeof draft.reading>) => put({ reading: { ...draft.reading, ...part }, mapping: null })
  const words = useReason()
  const csv = preview.format === 'csv'
  return (
    <>
      <div className="import-grid">
        {csv && (
          <>
            <Select
              label={t('area.imports.encoding')}
              allowDeselect={false}
              data={ENCODINGS}
              value={draft.reading.encoding ?? preview.encoding ?? null}
              onChange={(encoding) => set({ encoding })}
            />
            <Select
              label={t('area.imports.delimiter')}
              allowDeselect={false}
              data={Object.entries(DELIMITERS).map(([value, word]) => ({
                value,
                label: t(`area.imports.delimiters.${word}`),
              }))}
              value={draft.reading.delimiter ?? preview.delimiter ?? null}
              onChange={(delimiter) => set({ delimiter })}
            />
            <Select
              label={t('area.imports.quote')}
              allowDeselect={false}
              data={Object.values(QUOTES).map((word) => ({ value: word, label: t(`area.imports.quotes.${word}`) }))}
              value={QUOTES[draft.reading.quote as keyof typeof QUOTES]}
              onChange={(word) => {
                const found = Object.entries(QUOTES).find(([, name]) => name === word)
                set({ quote: found?.[0] ?? '"' })
              }}
            />
          </>
        )}
        {preview.sheets.length > 1 && (
          <Select
            label={t('area.imports.sheet')}
            allowDeselect={false}
            data={preview.sheets}
            value={preview.sheet ?? null}
            onChange={(sheet) => set({ sheet })}
          />
        )}
      </div>
      {preview.format !== 'json' && (
        <Checkbox
          my="md"
          label={t('area.imports.hasHeader')}
          checked={draft.reading.has_header}
          onChange={(event) => set({ has_header: event.currentTarget.checked })}
        />
      )}
      {preview.unread.length > 0 && (
        <Alert color="yellow" variant="light" mb="md" title={t('area.imports.unread')}>
          {preview.unread.slice(0, 3).map((row) => (
            <div key={row.line}>
              {t('area.imports.lineReason', { line: number(row.line), reason: words(row.reason) })}
            </div>
          ))}
        </Alert>
      )}
      <div className="panel table-panel import-preview" tabIndex={0} role="region" aria-label={t('area.imports.rows')}>
        <table className="table">
          <thead>
            <tr>
              {preview.header.map((name) => (
                <th key={name}>{name}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {preview.rows.map((row, index) => (
              <tr key={index}>
                {row.map((cell, column) => (
                  <td key={column} title={cell}>
                    {cell}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className="soft" style={{ marginTop: 8 }}>
        {t(preview.whole ? 'area.imports.wholeShown' : 'area.imports.beginShown', {
          shown: number(preview.rows.length),
          looked: number(preview.looked_at),
        })}
      </p>
    </>
  )
}
