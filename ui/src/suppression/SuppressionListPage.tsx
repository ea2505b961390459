import {
  ActionIcon,
  Alert,
  Button,
  Group,
  FileButton,
  Modal,
  MultiSelect,
  Progress,
  Stack,
  Textarea,
  TextInput,
  VisuallyHidden,
} from '@mantine/core'
import { IconBan, IconDownload, IconPlus, IconTrash, IconX } from '@tabler/icons-react'
import { getRouteApi, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { errorText } from '../api/errorText'
import { useDatabases } from '../api/lookups'
import {
  addEntries,
  changeList,
  deleteList,
  listAddress,
  removeEntries,
  useEntries,
  useForgetSuppression,
  useSuppressionList,
  type SuppressionList,
} from '../api/suppression'
import { MoreButton } from '../components/MoreButton'
import { PageHead } from '../components/PageHead'
import { SearchField } from '../components/SearchField'
import { EmptyState, LoadFailure, Waiting } from '../components/states'
import { toast } from '../components/toasts'
import { moment } from '../format/dates'
import { valuesOf } from './valuesOf'

const route = getRouteApi('/app/suppression/$id')

/** One list: for whom it holds, and who is in it. */
export function SuppressionListPage() {
  const { t } = useTranslation()
  const id = Number(route.useParams().id)
  const list = useSuppressionList(id)
  const [adding, setAdding] = useState(false)
  if (list.isPending) return <Waiting />
  if (list.isError) return <LoadFailure error={list.error} retry={list.refetch} />
  return (
    <div className="page">
      <PageHead
        title={list.data.name}
        subtitle={list.data.is_global ? t('area.subscriptions.globalText') : list.data.description}
      >
        <Button
          variant="default"
          component="a"
          href={listAddress(id)}
          download
          leftSection={<IconDownload size={16} />}
        >
          {t('area.subscriptions.export')}
        </Button>
        <Button leftSection={<IconPlus size={16} />} onClick={() => setAdding(true)}>
          {t('area.subscriptions.add')}
        </Button>
      </PageHead>
      {!list.data.is_global && <ListSettings key={list.data.name} list={list.data} />}
      <Entries id={id} />
      {adding && <AddContacts id={id} onClose={() => setAdding(false)} />}
    </div>
  )
}

function ListSettings({ list }: { list: SuppressionList }) {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const forget = useForgetSuppression()
  const databases = useDatabases()
  const [name, setName] = useState(list.name)
  const [ids, setIds] = useState(list.database_ids.map(String))
  const run = async (deed: () => Promise<unknown>, told: string) => {
    try {
      await deed()
      toast.good(told)
      await forget()
      return true
    } catch (error) {
      toast.bad(errorText(error))
      return false
    }
  }
  const save = () =>
    run(
      () => changeList(list.id, { name, description: list.description, database_ids: ids.map(Number) }),
      t('area.subscriptions.saved'),
    )
  const remove = async () => {
    if (await run(() => deleteList(list.id), t('area.subscriptions.deleted'))) await navigate({ to: '/suppression' })
  }
  return (
    <div className="panel padded" style={{ marginBottom: 14 }}>
      <Group align="flex-end" gap={12}>
        <TextInput
          label={t('area.subscriptions.name')}
          maxLength={200}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <MultiSelect
          style={{ flex: 1 }}
          label={t('area.subscriptions.databases')}
          data={databases.data?.map((one) => ({ value: String(one.id), label: one.name })) ?? []}
          value={ids}
          onChange={setIds}
        />
        <Button disabled={!name.trim()} onClick={save}>
          {t('area.subscriptions.save')}
        </Button>
        <Button variant="default" color="red" leftSection={<IconTrash size={16} />} onClick={remove}>
          {t('area.subscriptions.delete')}
        </Button>
      </Group>
    </div>
  )
}

function Entries({ id }: { id: number }) {
  const { t } = useTranslation()
  const [search, setSearch] = useState('')
  const entries = useEntries(id, search)
  const forget = useForgetSuppression()
  const rows = entries.data?.pages.flatMap((page) => page.items) ?? []
  const remove = async (digest: string) => {
    try {
      await removeEntries(id, [digest])
      await forget()
    } catch (error) {
      toast.bad(errorText(error))
    }
  }
  return (
    <>
      <div style={{ marginBottom: 12 }}>
        <SearchField label={t('area.subscriptions.search')} value={search} onSearch={setSearch} />
      </div>
      <div className="panel table-panel">
        {entries.isPending && <Waiting />}
        {entries.isError && <LoadFailure error={entries.error} retry={entries.refetch} />}
        {entries.isSuccess && !rows.length && <EmptyState icon={IconBan} title={t('area.subscriptions.none')} />}
        {rows.length > 0 && (
          <table className="table">
            <thead>
              <tr>
                <th>{t('area.subscriptions.value')}</th>
                <th>{t('area.subscriptions.kind')}</th>
                <th>{t('area.subscriptions.reason')}</th>
                <th>{t('area.subscriptions.at')}</th>
                <th>
                  <VisuallyHidden>{t('area.subscriptions.remove')}</VisuallyHidden>
                </th>
              </tr>
            </thead>
            <tbody>
              {rows.map((entry) => (
                <tr key={entry.kind + entry.digest}>
                  <td>
                    {entry.value ?? (
                      <span className="soft">
                        {t('area.subscriptions.onlyDigest', { digest: entry.digest.slice(0, 12) })}
                      </span>
                    )}
                  </td>
                  <td>{t(`area.subscriptions.kinds.${entry.kind}`)}</td>
                  <td>{t(`area.subscriptions.reasons.${entry.reason}`)}</td>
                  <td className="soft">{moment(entry.added_at)}</td>
                  <td style={{ textAlign: 'right' }}>
                    <ActionIcon
                      aria-label={t('area.subscriptions.remove')}
                      title={t('area.subscriptions.removeHint')}
                      onClick={() => remove(entry.digest)}
                    >
                      <IconX size={15} />
                    </ActionIcon>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
        <MoreButton query={entries} />
      </div>
    </>
  )
}

const AT_ONCE = 5_000
function AddContacts({ id, onClose }: { id: number; onClose: () => void }) {
  const { t } = useTranslation()
  const forget = useForgetSuppression()
  const [text, setText] = useState('')
  const [refused, setRefused] = useState<string[]>([])
  const [busy, setBusy] = useState(false)
  const [share, setShare] = useState<number>()
  const addAll = async (values: string[]) => {
    setBusy(true)
    try {
      const told = { imported: 0, duplicated: 0, refused: [] as { value: string }[] }
      for (let start = 0; start < values.length; start += AT_ONCE) {
        const part = await addEntries(id, values.slice(start, start + AT_ONCE))
        told.imported += part.imported
        told.duplicated += part.duplicated
        told.refused.push(...part.refused)
        setShare((100 * Math.min(start + AT_ONCE, values.length)) / values.length)
      }
      toast.good(
        t('area.subscriptions.added', {
          imported: told.imported,
          duplicated: told.duplicated,
          refused: told.refused.length,
        }),
      )
      await forget()
      if (!told.refused.length) onClose()
      setRefused(told.refused.map(({ value }) => value))
      setText('')
    } catch (error) {
      toast.bad(errorText(error))
    }
    setBusy(false)
    setShare(undefined)
  }
  const add = () => addAll(text.split('\n'))
  const addFile = async (file: File | null) => {
    if (file) await addAll(valuesOf(await file.text()))
  }
  return (
    <Modal
      opened
      onClose={onClose}
      size="lg"
      title={<b>{t('area.subscriptions.add')}</b>}
      closeButtonProps={{ 'aria-label': t('close') }}
    >
      <Stack gap="md">
        <Textarea
          label={t('area.subscriptions.value')}
          description={t('area.subscriptions.addHint')}
          autosize
          minRows={8}
          maxRows={18}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        {share !== undefined && <Progress value={share} aria-label={t('area.subscriptions.add')} />}
        {refused.length > 0 && (
          <Alert color="yellow" variant="light" title={t('area.subscriptions.refusedTitle')}>
            {refused.slice(0, 20).join(', ')}
          </Alert>
        )}
        <Group justify="flex-end" gap={8}>
          <FileButton accept=".csv,.txt" onChange={addFile}>
            {(props) => (
              <Button {...props} variant="default" disabled={busy} mr="auto">
                {t('area.subscriptions.fromFile')}
              </Button>
            )}
          </FileButton>
          <Button variant="default" onClick={onClose}>
            {t('cancel')}
          </Button>
          <Button loading={busy} disabled={!text.trim()} onClick={add}>
            {t('add')}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}
