import { Alert, Button, Stack } from '@mantine/core'
import { IconPlayerPlay, IconTestPipe } from '@tabler/icons-react'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { errorText } from '../api/errorText'
import { isOver, startImport, useImport } from '../api/imports'
import { useNamed } from '../api/lookups'
import { LoadFailure } from '../components/states'
import { importOrder, usualMatching } from './draft'
import { Report } from './Report'
import { Running, useProgress } from './Running'
import type { PreviewedProps } from './steps'

/** What is going to be done; tried first on demand, then done. */
export function CheckStep({ draft, mapping, onStarted }: PreviewedProps & { onStarted: (task: number) => void }) {
  const { t } = useTranslation()
  const [tested, setTested] = useState<number | null>(null)
  const order = importOrder(draft, mapping)!
  const test = useMutation({
    mutationFn: () => startImport({ ...order, test_run: true }),
    onSuccess: (task) => setTested(task.id),
  })
  const start = useMutation({ mutationFn: () => startImport(order), onSuccess: (task) => onStarted(task.id) })
  const task = useImport(tested)
  useProgress(tested, task.data)
  const running = tested !== null && !isOver(task.data)
  const failure = start.error ?? test.error
  return (
    <Stack gap="md">
      <Summary draft={draft} mapping={mapping} />
      {failure && (
        <Alert color="red" variant="light" role="alert">
          {errorText(failure)}
        </Alert>
      )}
      {task.isError && <LoadFailure error={task.error} retry={task.refetch} />}
      {task.data && (
        <div className="panel padded">
          {isOver(task.data) ? <Report task={task.data} /> : <Running task={task.data} />}
        </div>
      )}
      <div style={{ display: 'flex', gap: 8 }}>
        <Button
          variant="default"
          leftSection={<IconTestPipe size={17} />}
          loading={test.isPending}
          disabled={running}
          onClick={() => test.mutate()}
        >
          {t('area.imports.test')}
        </Button>
        <Button
          leftSection={<IconPlayerPlay size={17} />}
          loading={start.isPending}
          disabled={running}
          onClick={() => start.mutate()}
        >
          {t('imports.start')}
        </Button>
      </div>
      <span className="soft">{t('area.imports.testText')}</span>
    </Stack>
  )
}

function Summary({ draft, mapping }: Pick<PreviewedProps, 'draft' | 'mapping'>) {
  const { t } = useTranslation()
  const resources = useNamed('resource')
  const segments = useNamed('segment')
  const names = (ids: number[], items: { id: number; name: string }[]) =>
    ids.map((id) => items.find((item) => item.id === id)?.name ?? `#${id}`)
  const segmentNames = [
    ...names(draft.addTo, segments.items),
    ...(draft.newSegment.trim() ? [draft.newSegment.trim()] : []),
  ]
  const matching = draft.matching ?? usualMatching(mapping)
  const lines: [string, string][] = [
    [t('imports.file'), draft.files.map((file) => file.name || t('area.imports.clipboard')).join(', ')],
    [t('area.imports.columns'), String(Object.keys(mapping).length)],
    [t('area.imports.mode'), t(`area.imports.modes.${draft.mode}`)],
    [t('area.imports.matching'), t(`area.imports.matchings.${matching}`)],
    [
      t('area.imports.subscriptions'),
      [
        ...new Set(
          names(
            draft.subscriptions.map((plan) => plan.resource_id),
            resources.items,
          ),
        ),
      ].join(', '),
    ],
    [t('area.imports.addTo'), segmentNames.join(', ')],
    [t('area.imports.removeFrom'), names(draft.removeFrom, segments.items).join(', ')],
  ]
  return (
    <dl className="import-summary">
      {lines
        .filter(([, value]) => value)
        .map(([word, value]) => (
          <div key={word}>
            <dt>{word}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      <div>
        <dt>{t('area.imports.triggers')}</dt>
        <dd>{t(draft.skipTriggers ? 'area.imports.triggersOff' : 'area.imports.triggersOn')}</dd>
      </div>
    </dl>
  )
}
