import { useTranslation } from 'react-i18next'
import type { Run } from '../api/sources'
import { number } from '../format/numbers'

/** What came of a run, in words. */
export function RunWords({ run }: { run: Run }) {
  const { t } = useTranslation()
  if (run.state === 'failed') return <span style={{ color: 'var(--no)' }}>{run.error}</span>
  const counts = run.counts as Record<string, number> | null
  if (run.state !== 'completed' || !counts) return <>{t(`area.sources.states.${run.state}`)}</>
  if (!counts.total) return <>{t('area.sources.nothingNew')}</>
  const shown = (name: string) => number(counts[name] ?? 0)
  return (
    <>
      {t('area.sources.counts', {
        total: shown('total'),
        created: shown('created'),
        updated: shown('updated'),
        rejected: shown('rejected'),
      })}
    </>
  )
}
