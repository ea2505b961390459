import { ActionIcon, Alert, Button, Select, Stack, Tabs, Textarea } from '@mantine/core'
import { IconAlertTriangle, IconClipboardText, IconFileImport, IconFileUpload, IconX } from '@tabler/icons-react'
import { useMutation } from '@tanstack/react-query'
import { useRef, useState, type DragEvent } from 'react'
import { useTranslation } from 'react-i18next'
import { errorText } from '../api/errorText'
import { uploadFile, type Uploaded } from '../api/imports'
import { useDatabases } from '../api/lookups'
import { moment } from '../format/dates'
import { bytes } from '../format/numbers'
import type { StepProps } from './steps'

const ACCEPTED = '.csv,.tsv,.txt,.xlsx,.xls,.ods,.json,.jsonl,.ndjson,.zip,.gz,.tgz,.tar'

/** Where the rows come from, and into which database they go. */
export function SourceStep({ draft, put }: StepProps) {
  const { t } = useTranslation()
  const databases = useDatabases()
  const choices = databases.data?.map(({ id, name }) => ({ value: String(id), label: name })) ?? []
  const add = (file: Uploaded) => put({ files: [...draft.files, file], mapping: null })
  return (
    <Stack gap="md">
      <Select
        label={t('imports.database')}
        required
        allowDeselect={false}
        style={{ maxWidth: 360 }}
        data={choices}
        value={draft.database === null ? null : String(draft.database)}
        onChange={(id) => put({ database: Number(id), mapping: null, constants: [], addTo: [], removeFrom: [] })}
      />
      <Tabs defaultValue="file" keepMounted={false}>
        <Tabs.List>
          <Tabs.Tab value="file" leftSection={<IconFileUpload size={16} />}>
            {t('area.imports.files')}
          </Tabs.Tab>
          <Tabs.Tab value="text" leftSection={<IconClipboardText size={16} />}>
            {t('area.imports.clipboard')}
          </Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="file" pt="md">
          <DropArea onUploaded={add} />
        </Tabs.Panel>
        <Tabs.Panel value="text" pt="md">
          <Clipboard onUploaded={add} />
        </Tabs.Panel>
      </Tabs>
      {draft.files.length > 0 && <Files files={draft.files} onChange={(files) => put({ files, mapping: null })} />}
    </Stack>
  )
}

function DropArea({ onUploaded }: { onUploaded: (file: Uploaded) => void }) {
  const { t } = useTranslation()
  const [over, setOver] = useState(false)
  const input = useRef<HTMLInputElement>(null)
  const upload = useMutation({
    mutationFn: async (files: File[]) => {
      for (const file of files) onUploadedNow.current(await uploadFile(file))
    },
  })
  /* Each file of several is added to those that the one before it has made. */
  const onUploadedNow = useRef(onUploaded)
  onUploadedNow.current = onUploaded
  const take = (files: FileList | null) => {
    if (files?.length) upload.mutate([...files])
    if (input.current) input.current.value = ''
  }
  const drop = (event: DragEvent) => {
    event.preventDefault()
    setOver(false)
    take(event.dataTransfer.files)
  }
  return (
    <>
      {upload.isError && <Failure error={upload.error} />}
      <div
        className={`drop-area${over ? ' over' : ''}`}
        onDragOver={(event) => {
          event.preventDefault()
          setOver(true)
        }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
      >
        <IconFileImport size={40} stroke={1.3} color="var(--brand)" aria-hidden />
        <b>{t('area.imports.drop')}</b>
        <span style={{ color: 'var(--ink2)' }}>{t('area.imports.dropText')}</span>
        <input
          ref={input}
          type="file"
          multiple
          hidden
          accept={ACCEPTED}
          aria-label={t('imports.choose')}
          onChange={(event) => take(event.currentTarget.files)}
        />
        <Button mt={10} variant="default" loading={upload.isPending} onClick={() => input.current?.click()}>
          {t('imports.choose')}
        </Button>
      </div>
    </>
  )
}

function Clipboard({ onUploaded }: { onUploaded: (file: Uploaded) => void }) {
  const { t } = useTranslation()
  const [text, setText] = useState('')
  const upload = useMutation({
    mutationFn: () => uploadFile(text),
    onSuccess: (file) => {
      onUploaded(file)
      setText('')
    },
  })
  return (
    <Stack gap="sm">
      {upload.isError && <Failure error={upload.error} />}
      <Textarea
        aria-label={t('area.imports.clipboard')}
        placeholder={'email,first_name,city\nada@example.org,Ada,London'}
        description={t('area.imports.clipboardText')}
        autosize
        minRows={8}
        maxRows={18}
        styles={{ input: { fontFamily: 'var(--mono, monospace)', fontSize: 13 } }}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      <Button
        variant="default"
        style={{ alignSelf: 'flex-start' }}
        disabled={!text.trim()}
        loading={upload.isPending}
        onClick={() => upload.mutate()}
      >
        {t('area.imports.takeText')}
      </Button>
    </Stack>
  )
}

function Failure({ error }: { error: unknown }) {
  return (
    <Alert color="red" variant="light" role="alert" mb="sm">
      {errorText(error)}
    </Alert>
  )
}

function Files({ files, onChange }: { files: Uploaded[]; onChange: (files: Uploaded[]) => void }) {
  const { t } = useTranslation()
  return (
    <ul className="import-files">
      {files.map((file) => (
        <li key={file.key}>
          <div style={{ minWidth: 0, flex: 1 }}>
            <b>{file.name || t('area.imports.clipboard')}</b>{' '}
            <span className="soft">
              {t(`area.imports.formats.${file.format}`)}, {bytes(file.size)}
            </span>
            {file.earlier && (
              <div className="import-warning">
                <IconAlertTriangle size={15} aria-hidden />
                {t(file.earlier.by ? 'area.imports.earlierBy' : 'area.imports.earlier', {
                  when: moment(file.earlier.at),
                  by: file.earlier.by,
                })}
              </div>
            )}
          </div>
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={t('area.imports.dropFile', { name: file.name })}
            onClick={() => onChange(files.filter(({ key }) => key !== file.key))}
          >
            <IconX size={16} />
          </ActionIcon>
        </li>
      ))}
    </ul>
  )
}
