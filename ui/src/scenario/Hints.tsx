import { Button, Popover, ScrollArea } from '@mantine/core'
import { IconAlertTriangle } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Problem } from '../api/client'
import { problemText } from '../api/errorText'
import { useEditor } from './editorStore'

/** Everything that keeps the scenario from being published, in words, each leading to its card. */
export function Hints() {
  const { t } = useTranslation()
  const [shown, setShown] = useState(false)
  const problems = useEditor((state) => state.problems)
  const cards = useEditor((state) => state.cards)
  const described = useEditor((state) => state.described)
  if (!problems.length) return null
  const place = (problem: Problem) => {
    const id = stepOf(problem)
    const card = cards.find((found) => found.id === id)
    return card ? card.data.title || described[card.id]?.type_title : t('editor.scenarioHint')
  }
  const go = (problem: Problem) => {
    setShown(false)
    const id = stepOf(problem)
    if (id !== null && cards.some((card) => card.id === id)) useEditor.getState().open(id)
  }
  return (
    <Popover opened={shown} onChange={setShown} position="bottom-end" shadow="lg" radius="lg" width={380} trapFocus>
      <Popover.Target>
        <Button
          variant="default"
          className="hints-button"
          leftSection={<IconAlertTriangle size={16} />}
          onClick={() => setShown(!shown)}
        >
          {t('editor.hints', { count: problems.length })}
        </Button>
      </Popover.Target>
      <Popover.Dropdown p={8}>
        <div className="side-group" style={{ padding: '6px 10px' }}>
          {t('editor.hintsTitle')}
        </div>
        <ScrollArea.Autosize mah={420} type="auto" scrollbarSize={6}>
          {problems.map((problem, index) => (
            <button type="button" className="hint" key={index} onClick={() => go(problem)}>
              <IconAlertTriangle size={17} color="var(--warn)" style={{ flex: 'none', marginTop: 1 }} />
              <span>
                <b style={{ color: 'var(--ink)' }}>{place(problem)}</b>
                {problemText(problem)}
              </span>
            </button>
          ))}
        </ScrollArea.Autosize>
      </Popover.Dropdown>
    </Popover>
  )
}

/** The step that a place such as `node 4.settings.rules` is about. */
function stepOf({ place }: Problem): string | null {
  return place?.match(/^node (\d+)/)?.[1] ?? null
}
