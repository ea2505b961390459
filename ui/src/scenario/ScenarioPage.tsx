import { Button, Modal } from '@mantine/core'
import { getRouteApi } from '@tanstack/react-router'
import { ReactFlowProvider } from '@xyflow/react'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { loadScenario, statisticsStream, useScenario, useStatistics, type Statistics } from '../api/scenarios'
import { useSession } from '../api/session'
import { useEventStream } from '../api/useEventStream'
import { LoadFailure, Waiting } from '../components/states'
import { useLanguage } from '../i18n'
import { Canvas } from './Canvas'
import { Drawer } from './Drawer'
import { EditorHead } from './EditorHead'
import { useEditor } from './editorStore'
import { periodOf, type PeriodName } from './period'
import { useAutoSave } from './useAutoSave'

const route = getRouteApi('/app/scenarios/$id')

export default function ScenarioPage() {
  const id = Number(route.useParams().id)
  const language = useLanguage()
  const session = useSession().data
  const scenario = useScenario(id, language)
  const readOnly = session?.user.role === 'viewer'
  const { data } = scenario
  const shown = useEditor((state) => state.status.id)
  useEffect(() => {
    if (data) useEditor.getState().load(data, readOnly)
  }, [data, readOnly])
  if (scenario.isError) return <LoadFailure error={scenario.error} retry={scenario.refetch} />
  if (scenario.isPending || shown !== id) return <Waiting />
  return <Editor key={id} id={id} />
}

function Editor({ id }: { id: number }) {
  const [period, setPeriod] = useState<PeriodName>('all')
  const [range, setRange] = useState(() => periodOf('all', new Date()))
  const saveNow = useAutoSave()
  const statistics = useStatistics(id, range)
  const showFigures = useEditor((state) => state.showFigures)
  const live = useEventStream<Statistics>(showFigures ? statisticsStream(id, range) : null, (figures) =>
    useEditor.setState({ figures }),
  )
  const { data } = statistics
  useEffect(() => {
    if (data) useEditor.setState({ figures: data })
  }, [data])
  const choose = (name: PeriodName) => {
    setPeriod(name)
    setRange(periodOf(name, new Date()))
  }
  return (
    <ReactFlowProvider>
      <div className="editor">
        <EditorHead period={period} onPeriod={choose} saveNow={saveNow} />
        <div style={{ position: 'relative', flex: 1, minHeight: 0, display: 'flex', overflow: 'hidden' }}>
          <Canvas live={live} />
          <Drawer />
        </div>
      </div>
      <ConflictWindow id={id} />
    </ReactFlowProvider>
  )
}

function ConflictWindow({ id }: { id: number }) {
  const { t } = useTranslation()
  const language = useLanguage()
  const conflict = useEditor((state) => state.saving === 'conflict')
  const reload = async () => {
    const { load, readOnly } = useEditor.getState()
    load(await loadScenario(id, language), readOnly)
  }
  return (
    <Modal opened={conflict} onClose={() => {}} withCloseButton={false} title={<b>{t('editor.conflictTitle')}</b>}>
      <p style={{ margin: '0 0 16px' }}>{t('editor.conflictText')}</p>
      <Button fullWidth onClick={() => void reload()}>
        {t('editor.reload')}
      </Button>
    </Modal>
  )
}
