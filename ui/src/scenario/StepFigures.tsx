import { useTranslation } from 'react-i18next'
import type { Description, MessageFigures } from '../api/scenarios'
import { EmptyState } from '../components/states'
import { number, share } from '../format/numbers'
import { useEditor } from './editorStore'

const MESSAGES: (keyof MessageFigures)[] = ['sent', 'opened', 'clicked', 'waiting', 'not_sent', 'in_doubt']

export function StepFigures({ id, described }: { id: string; described: Description }) {
  const { t } = useTranslation()
  const figures = useEditor((state) => state.figures?.nodes[id])
  if (!figures) return <EmptyState title={t('drawer.noFigures')} />
  const left = Object.values(figures.outputs).reduce((sum, people) => sum + people, 0)
  return (
    <>
      <Row label={t('drawer.visits')} value={number(figures.entered)} />
      <Row label={t('drawer.people')} value={number(figures.inside)} />
      {described.ports.map((port) => {
        const people = figures.outputs[port.id] ?? 0
        return (
          <Row
            key={port.id}
            label={t('drawer.outputCount', { port: port.title })}
            value={`${number(people)} · ${share(people, left)}`}
          />
        )
      })}
      {figures.failed > 0 && <Row label={t('figure.failed')} value={number(figures.failed)} />}
      {figures.messages &&
        MESSAGES.map((word) => {
          const count = figures.messages![word]
          const ofSent = word === 'opened' || word === 'clicked' ? ` · ${share(count, figures.messages!.sent)}` : ''
          return <Row key={word} label={t(`figure.${word}`)} value={number(count) + ofSent} />
        })}
    </>
  )
}

const Row = ({ label, value }: { label: string; value: string }) => (
  <div className="figure-row">
    <span>{label}</span>
    <b>{value}</b>
  </div>
)
