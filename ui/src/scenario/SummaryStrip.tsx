import { Tooltip } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import type { Statistics } from '../api/scenarios'
import { number } from '../format/numbers'
import { useEditor } from './editorStore'

/** Who entered, is inside, passed; and what went otherwise, if there is any. */
export function SummaryStrip({ live }: { live: boolean }) {
  const { t } = useTranslation()
  const totals = useEditor((state) => (state.showFigures ? state.figures?.totals : undefined))
  if (!totals) return null
  return (
    <div className="strip" role="group" aria-label={t('editor.statistics')}>
      {figures(totals).map(({ word, value, colour }) => (
        <span key={word}>
          <i style={{ background: `var(${colour})` }} />
          <b>{number(value)}</b> {t(`editor.${word}`)}
        </span>
      ))}
      <Tooltip label={live ? t('editor.live') : t('editor.notLive')}>
        <span
          className={`live${live ? ' on' : ''}`}
          role="img"
          aria-label={live ? t('editor.live') : t('editor.notLive')}
        />
      </Tooltip>
    </div>
  )
}

function figures(totals: Statistics['totals']) {
  const always = [
    { word: 'entered', value: totals.entered, colour: '--c-trigger' },
    { word: 'inside', value: totals.inside, colour: '--c-operator' },
    { word: 'passed', value: totals.completed, colour: '--c-channel' },
  ]
  const otherwise = [
    { word: 'left', value: totals.removed + totals.restarted, colour: '--ink3' },
    { word: 'exited', value: totals.exited, colour: '--yes' },
    { word: 'capped', value: totals.capped, colour: '--warn' },
    { word: 'failed', value: totals.failed, colour: '--no' },
  ]
  return [...always, ...otherwise.filter(({ value }) => value > 0)]
}
