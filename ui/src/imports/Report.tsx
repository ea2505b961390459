import { Alert } from '@mantine/core'
import { IconAlertTriangle, IconCircleCheck } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import type { Counts, Import } from '../api/imports'
import { number } from '../format/numbers'
import { useReason } from './reasons'

const MAIN = ['created', 'updated', 'unchanged', 'skipped', 'rejected'] as const
const REST = ['repeated', 'several', 'left_out'] as const

/** What became of the rows of an import, or what would. */
export function Report({ task }: { task: Import }) {
  const { t } = useTranslation()
  const good = task.state === 'completed'
  const Icon = good ? IconCircleCheck : IconAlertTriangle
  const words = {
    completed: task.test_run ? 'area.imports.tested' : 'imports.completed',
    cancelled: 'imports.cancelled',
  }
  const title = words[task.state as keyof typeof words] ?? 'imports.failedTitle'
  return (
    <>
      <h2 style={{ display: 'flex', alignItems: 'center', gap: 8, fontSize: 16 }}>
        <Icon size={22} color={good ? 'var(--yes)' : 'var(--warn)'} aria-hidden /> {t(title)}
      </h2>
      {task.state === 'cancelled' && !task.test_run && (
        <p style={{ margin: '0 0 12px' }}>{t('area.imports.cancelledText')}</p>
      )}
      {task.error && (
        <Alert color="red" variant="light" role="alert" mb="sm">
          {task.error}
        </Alert>
      )}
      {task.result?.total !== undefined && <Numbers counts={task.result} />}
    </>
  )
}

function Numbers({ counts }: { counts: Counts }) {
  const { t } = useTranslation()
  const rest = REST.filter((word) => counts[word])
  return (
    <>
      <div className="kpis" style={{ margin: 0 }}>
        {MAIN.filter((word) => counts[word] !== undefined && (word !== 'skipped' || counts.skipped)).map((word) => (
          <div className="kpi" key={word}>
            <div className="label">{t(word === 'skipped' ? 'area.imports.skipped' : `imports.${word}`)}</div>
            <div className="value">{number(counts[word]!)}</div>
          </div>
        ))}
      </div>
      {rest.length > 0 && (
        <ul className="import-notes">
          {rest.map((word) => (
            <li key={word}>
              {t(`area.imports.notes.${word}`, { count: counts[word]!, number: number(counts[word]!) })}
            </li>
          ))}
        </ul>
      )}
      {!!counts.reasons?.length && <Reasons reasons={counts.reasons} />}
    </>
  )
}

function Reasons({ reasons }: { reasons: NonNullable<Counts['reasons']> }) {
  const { t } = useTranslation()
  const words = useReason()
  return (
    <>
      <h3 style={{ fontSize: 14, margin: '18px 0 6px' }}>{t('area.imports.why')}</h3>
      <table className="table import-reasons">
        <tbody>
          {reasons.map(({ column, field, reason, count }, index) => (
            <tr key={index}>
              <td className="num">{number(count)}</td>
              <td>{column ?? field ?? ''}</td>
              <td>{words(reason)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  )
}
