import { Button, Progress, Stack } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { cancelTask, isOver, taskStream, type Import, type Task } from '../api/imports'
import { useEventStream } from '../api/useEventStream'
import { number } from '../format/numbers'

/** Keeps what is known of an import up to date while it runs. */
export function useProgress(id: number | null, task: Import | undefined) {
  const client = useQueryClient()
  useEventStream<Task>(id === null || isOver(task) ? null : taskStream(id), (news) =>
    client.setQueryData(['import', id], (old: Import | undefined) => (old ? { ...old, ...news } : old)),
  )
}

/** How far an import is, and how to stop it. */
export function Running({ task }: { task: Import }) {
  const { t } = useTranslation()
  const cancel = useMutation({ mutationFn: () => cancelTask(task.id) })
  const percent = task.total ? (100 * task.done) / task.total : 0
  const title =
    task.state === 'waiting' ? 'imports.waiting' : task.test_run ? 'area.imports.testing' : 'imports.running'
  return (
    <Stack gap={12}>
      <h2 style={{ margin: 0 }}>{t(title)}</h2>
      <Progress value={task.total ? percent : 100} animated size="lg" radius="xl" aria-label={t(title)} />
      <div style={{ display: 'flex', justifyContent: 'space-between', alignItems: 'center' }}>
        <span style={{ color: 'var(--ink2)' }}>
          {task.total
            ? t('imports.of', { done: number(task.done), total: number(task.total) })
            : t('imports.rows', { count: task.done, number: number(task.done) })}
        </span>
        <Button
          variant="default"
          size="compact-md"
          loading={cancel.isPending || cancel.isSuccess}
          onClick={() => cancel.mutate()}
        >
          {t('imports.cancel')}
        </Button>
      </div>
    </Stack>
  )
}
