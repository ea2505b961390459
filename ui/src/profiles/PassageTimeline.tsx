import { IconFlag, IconHourglass, IconLogin2 } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import type { Passage, Step } from '../api/profiles'
import { fromNow, moment, momentToTheSecond } from '../format/dates'
import { useNow } from '../format/useNow'
import { usePaletteTypes } from '../scenario/paletteTypes'
import { nodeIcon } from '../scenario/nodeIcons'

const REASON_TONES: Record<string, string> = {
  live: 'blue',
  completed: 'tone-yes',
  failed: 'tone-no',
  visit_cap: 'tone-no',
}

/** One way of a person through a scenario: step by step, by which output, at which moment, and how it ended. */
export function PassageTimeline({ passage }: { passage: Passage }) {
  const { t } = useTranslation()
  const reason = passage.reason ?? 'live'
  return (
    <article className="passage">
      <div className="passage-head">
        <Link to="/scenarios/$id" params={{ id: String(passage.scenario_id) }}>
          {passage.scenario_name}
        </Link>
        <span className={`pill ${REASON_TONES[reason] ?? 'neutral'}`}>{t(`passage.reasons.${reason}`)}</span>
        <small>
          {t('passage.entered', { time: moment(passage.entered_at) })} ·{' '}
          {t('passage.version', { number: passage.version_number })}
        </small>
      </div>
      <ol className="timeline">
        <li>
          <span className="tile mini cat-trigger">
            <IconLogin2 size={16} stroke={1.8} />
          </span>
          <span className="what">
            <b>{t('passage.entry')}</b>
          </span>
          <time dateTime={passage.entered_at}>{momentToTheSecond(passage.entered_at)}</time>
        </li>
        {passage.steps.map((step, index) => (
          <StepLine key={step.hop} step={step} round={roundOf(passage.steps, index)} />
        ))}
        <End passage={passage} />
      </ol>
    </article>
  )
}

/** How many times the step has been visited, this visit counted. */
const roundOf = (steps: Step[], index: number) =>
  steps.slice(0, index + 1).filter((step) => step.node_id === steps[index]!.node_id).length

function StepLine({ step, round }: { step: Step; round: number }) {
  const { t } = useTranslation()
  const type = usePaletteTypes().find((found) => found.type === step.type)
  const port = type?.ports.find(({ id }) => id === step.output)
  const Icon = nodeIcon(step.icon ?? type?.icon)
  const tone = step.output_tone ?? port?.tone ?? 'main'
  return (
    <li>
      <span className={`tile mini cat-${step.category ?? type?.category ?? 'action'}`}>
        <Icon size={16} stroke={1.8} />
      </span>
      <span className="what">
        <b>{step.title || type?.title || step.type}</b>
        {tone !== 'main' && (
          <span className={`pill tone-${tone}`}>{step.output_title ?? port?.title ?? step.output}</span>
        )}
        {round > 1 && <small> {t('passage.round', { number: round })}</small>}
      </span>
      <time dateTime={step.at}>{momentToTheSecond(step.at)}</time>
    </li>
  )
}

function End({ passage }: { passage: Passage }) {
  const { t } = useTranslation()
  const now = useNow()
  if (!passage.ended_at)
    return (
      <li className="here">
        <span className="tile mini cat-operator">
          <IconHourglass size={16} stroke={1.8} />
        </span>
        <span className="what">
          <b>{t('passage.rests', { node: passage.node_title })}</b>
        </span>
        <time>{passage.due_at ? t('passage.goesOn', { time: fromNow(passage.due_at, now) }) : t('passage.waits')}</time>
      </li>
    )
  return (
    <li>
      <span className="tile mini cat-action">
        <IconFlag size={16} stroke={1.8} />
      </span>
      <span className="what">
        <b>{t(`passage.reasons.${passage.reason ?? 'completed'}`)}</b>
        {passage.failure && <small>{passage.failure}</small>}
      </span>
      <time dateTime={passage.ended_at}>{momentToTheSecond(passage.ended_at)}</time>
    </li>
  )
}
