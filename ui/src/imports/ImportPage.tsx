import { Alert, Button, FileButton, Progress, Select, Stack } from '@mantine/core'
import { IconAlertTriangle, IconCircleCheck, IconFileTypeCsv, IconUpload } from '@tabler/icons-react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useState, type DragEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { errorText } from '../api/errorText'
import { cancelTask, isOver, startImport, taskStream, useTask, type Task } from '../api/imports'
import { useDatabases, useNamed } from '../api/lookups'
import { useEventStream } from '../api/useEventStream'
import { PageHead } from '../components/PageHead'
import { LoadFailure, Waiting } from '../components/states'
import { number } from '../format/numbers'
import { Rejections } from './Rejections'

const route = getRouteApi('/app/imports')

export function ImportPage() {
  const { t } = useTranslation()
  const { task } = route.useSearch()
  return (
    <div className="page" style={{ maxWidth: 920 }}>
      <PageHead title={t('imports.title')} subtitle={t('imports.subtitle')} />
      {task === undefined ? <ImportForm /> : <Running key={task} id={task} />}
    </div>
  )
}

function ImportForm() {
  const { t } = useTranslation()
  const navigate = route.useNavigate()
  const databases = useDatabases()
  const resources = useNamed('resource')
  const [chosen, setChosen] = useState<string | null>(null)
  const [resource, setResource] = useState<string | null>(null)
  const [status, setStatus] = useState<string | null>('subscribed')
  const [file, setFile] = useState<File | null>(null)
  const choices = databases.data?.map(({ id, name }) => ({ value: String(id), label: name })) ?? []
  const database = chosen ?? choices[0]?.value ?? null
  const start = useMutation({
    mutationFn: () => startImport(file!, Number(database), resource === null ? null : Number(resource), status),
    onSuccess: (task) => navigate({ search: { task: task.id } }),
  })
  if (databases.isError) return <LoadFailure error={databases.error} retry={databases.refetch} />
  return (
    <div className="panel padded">
      <Stack gap="md">
        {start.isError && (
          <Alert color="red" variant="light" role="alert">
            {errorText(start.error)}
          </Alert>
        )}
        <div style={{ display: 'grid', gridTemplateColumns: '1fr 1fr', gap: 14 }}>
          <Select
            label={t('imports.database')}
            required
            allowDeselect={false}
            data={choices}
            value={database}
            onChange={setChosen}
          />
          <Select
            label={t('imports.resource')}
            placeholder={t('imports.resourceNone')}
            clearable
            data={resources.items.map(({ id, name }) => ({ value: String(id), label: name }))}
            value={resource}
            onChange={setResource}
          />
          {resource !== null && (
            <Select
              label={t('imports.status')}
              allowDeselect={false}
              data={['subscribed', 'unconfirmed'].map((word) => ({ value: word, label: t(`imports.status_${word}`) }))}
              value={status}
              onChange={setStatus}
            />
          )}
        </div>
        <DropArea file={file} onFile={setFile} />
        <Button
          size="md"
          style={{ alignSelf: 'flex-start' }}
          leftSection={<IconUpload size={17} />}
          disabled={!file || !database}
          loading={start.isPending}
          onClick={() => start.mutate()}
        >
          {t('imports.start')}
        </Button>
      </Stack>
    </div>
  )
}

function DropArea({ file, onFile }: { file: File | null; onFile: (file: File | null) => void }) {
  const { t } = useTranslation()
  const [over, setOver] = useState(false)
  const drop = (event: DragEvent) => {
    event.preventDefault()
    setOver(false)
    onFile(event.dataTransfer.files[0] ?? null)
  }
  return (
    <div
      className={`drop-area${over ? ' over' : ''}`}
      onDragOver={(event) => {
        event.preventDefault()
        setOver(true)
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <IconFileTypeCsv size={40} stroke={1.3} color="var(--brand)" aria-hidden />
      <b>{file ? file.name : t('imports.drop')}</b>
      <span style={{ color: 'var(--ink2)' }}>
        {file ? `${number(Math.ceil(file.size / 1024))} kB` : t('imports.dropText')}
      </span>
      <FileButton accept=".csv,.tsv,.txt,text/csv" onChange={onFile}>
        {(props) => (
          <Button {...props} mt={10} variant="default">
            {t('imports.choose')}
          </Button>
        )}
      </FileButton>
    </div>
  )
}

function Running({ id }: { id: number }) {
  const { t } = useTranslation()
  const navigate = route.useNavigate()
  const client = useQueryClient()
  const task = useTask(id)
  useEventStream<Task>(isOver(task.data) ? null : taskStream(id), (news) =>
    client.setQueryData(['task', id], (old: Task | undefined) => ({ ...old, ...news })),
  )
  if (task.isError) return <LoadFailure error={task.error} retry={task.refetch} />
  if (task.isPending) return <Waiting rows={3} />
  return (
    <>
      <div className="panel padded">
        {isOver(task.data) ? <Report task={task.data} /> : <Progressing task={task.data} />}
      </div>
      {isOver(task.data) && <Rejections id={id} />}
      {isOver(task.data) && (
        <div style={{ display: 'flex', gap: 8, marginTop: 16 }}>
          <Button variant="default" onClick={() => navigate({ search: {} })}>
            {t('imports.again')}
          </Button>
          <Button component={Link} to="/profiles">
            {t('imports.profiles')}
          </Button>
        </div>
      )}
    </>
  )
}

function Progressing({ task }: { task: Task }) {
  const { t } = useTranslation()
  const cancel = useMutation({ mutationFn: () => cancelTask(task.id) })
  const percent = task.total ? (100 * task.done) / task.total : 0
  return (
    <Stack gap={12}>
      <h2 style={{ margin: 0 }}>{t(task.state === 'waiting' ? 'imports.waiting' : 'imports.running')}</h2>
      <Progress value={task.total ? percent : 100} animated size="lg" radius="xl" aria-label={t('imports.running')} />
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

const WORDS = ['created', 'updated', 'unchanged', 'rejected'] as const

function Report({ task }: { task: Task }) {
  const { t } = useTranslation()
  const good = task.state === 'completed'
  const Icon = good ? IconCircleCheck : IconAlertTriangle
  const title =
    { completed: 'imports.completed', cancelled: 'imports.cancelled' }[task.state as string] ?? 'imports.failedTitle'
  return (
    <>
      <h2 style={{ display: 'flex', alignItems: 'center', gap: 8, fontSize: 16 }}>
        <Icon size={22} color={good ? 'var(--yes)' : 'var(--warn)'} /> {t(title)}
      </h2>
      {task.error && <p style={{ margin: '0 0 12px' }}>{task.error}</p>}
      {task.result && (
        <div className="kpis" style={{ margin: 0 }}>
          {WORDS.filter((word) => task.result?.[word] !== undefined).map((word) => (
            <div className="kpi" key={word}>
              <div className="label">{t(`imports.${word}`)}</div>
              <div className="value">{number(task.result![word]!)}</div>
            </div>
          ))}
        </div>
      )}
    </>
  )
}
