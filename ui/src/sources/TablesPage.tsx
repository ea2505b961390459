import {
  ActionIcon,
  Alert,
  Badge,
  Button,
  Drawer,
  FileInput,
  Group,
  Menu,
  NumberInput,
  Select,
  Stack,
  Textarea,
  TextInput,
  Tooltip,
} from '@mantine/core'
import { IconDots, IconPlus, IconTable } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { ApiError } from '../api/client'
import { errorText } from '../api/errorText'
import {
  changeTable,
  createTable,
  deleteTable,
  fetchTable,
  uploadTable,
  useConnections,
  useExternalTables,
  useForgetSources,
  type ExternalTable,
  type TableOrder,
} from '../api/sources'
import { PageHead } from '../components/PageHead'
import { EmptyState, LoadFailure, Waiting } from '../components/states'
import { toast } from '../components/toasts'
import { apiName } from '../databases/fieldTypes'
import { moment } from '../format/dates'
import { number } from '../format/numbers'

type Kind = 'list' | 'file' | 'sql' | 'http'
const KINDS: Kind[] = ['list', 'file', 'sql', 'http']

/** Values of other systems that rules compare with. */
export function TablesPage() {
  const { t } = useTranslation()
  const forget = useForgetSources()
  const tables = useExternalTables()
  const [asked, ask] = useState<ExternalTable | 'new'>()
  const attempt = async (work: () => Promise<unknown>) => {
    try {
      await work()
      await forget()
    } catch (error) {
      toast.bad(errorText(error))
    }
  }
  const button = (
    <Button leftSection={<IconPlus size={16} />} onClick={() => ask('new')}>
      {t('area.sources.newTable')}
    </Button>
  )
  return (
    <div className="page">
      <PageHead title={t('area.sources.tables')} subtitle={t('area.sources.tablesText')}>
        {button}
      </PageHead>
      <div className="panel table-panel">
        {tables.isPending && <Waiting rows={3} />}
        {tables.isError && <LoadFailure error={tables.error} retry={tables.refetch} />}
        {tables.data?.items.length === 0 && (
          <EmptyState icon={IconTable} title={t('area.sources.noTables')} text={t('area.sources.noTablesText')}>
            {button}
          </EmptyState>
        )}
        {!!tables.data?.items.length && (
          <table className="table">
            <thead>
              <tr>
                <th>{t('area.sources.name')}</th>
                <th>{t('area.sources.kind')}</th>
                <th className="num">{t('area.sources.rows')}</th>
                <th>{t('area.sources.fetched')}</th>
                <th>{t('area.sources.state')}</th>
                <th aria-label={t('area.people.actions')} />
              </tr>
            </thead>
            <tbody>
              {tables.data.items.map((one) => (
                <tr key={one.id}>
                  <td className="wrapping">
                    {one.name} <span className="soft">{one.short_name}</span>
                    {one.columns.length > 1 && (
                      <div className="soft">{t('area.sources.columnsOf', { names: one.columns.join(', ') })}</div>
                    )}
                  </td>
                  <td>{t(`area.sources.tableKinds.${one.kind}`)}</td>
                  <td className="num">{one.row_count === null ? '—' : number(one.row_count)}</td>
                  <td className="soft">{one.fetched_at ? moment(one.fetched_at) : t('area.sources.never')}</td>
                  <td className="wrapping">
                    <Tooltip label={t('area.sources.unusableHint')} disabled={one.usable}>
                      <Badge variant="light" color={one.usable ? 'teal' : 'red'} tt="none">
                        {t(one.usable ? 'area.sources.usable' : 'area.sources.unusable')}
                      </Badge>
                    </Tooltip>
                    {one.error && <div style={{ color: 'var(--no)' }}>{one.error}</div>}
                  </td>
                  <td style={{ textAlign: 'right' }}>
                    <Menu position="bottom-end">
                      <Menu.Target>
                        <ActionIcon
                          variant="subtle"
                          color="gray"
                          aria-label={t('area.people.actionsOf', { contact: one.name })}
                        >
                          <IconDots size={16} />
                        </ActionIcon>
                      </Menu.Target>
                      <Menu.Dropdown>
                        {['sql', 'http'].includes(one.kind) && (
                          <Menu.Item onClick={() => attempt(() => fetchTable(one.id))}>
                            {t('area.sources.fetch')}
                          </Menu.Item>
                        )}
                        <Menu.Item onClick={() => ask(one)}>{t('area.sources.edit')}</Menu.Item>
                        <Menu.Item color="red" onClick={() => attempt(() => deleteTable(one.id))}>
                          {t('area.sources.delete')}
                        </Menu.Item>
                      </Menu.Dropdown>
                    </Menu>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </div>
      {asked && <TableDrawer known={asked === 'new' ? undefined : asked} onClose={() => ask(undefined)} />}
    </div>
  )
}

function TableDrawer({ known, onClose }: { known?: ExternalTable; onClose: () => void }) {
  const { t } = useTranslation()
  const forget = useForgetSources()
  const connections = useConnections()
  const [given, setGiven] = useState({
    name: known?.name ?? '',
    short_name: known?.short_name ?? '',
    kind: (known?.kind ?? 'list') as Kind,
    connection: known?.connection_id ? String(known.connection_id) : null,
    query: (known?.settings.query as string | undefined) ?? '',
    path: (known?.settings.path as string | undefined) ?? '',
    values: '',
    minutes: Math.round((known?.keep_seconds ?? 3_600) / 60),
  })
  const [file, setFile] = useState<File | null>(null)
  const [failure, setFailure] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const put = (part: Partial<typeof given>) => setGiven({ ...given, ...part })
  const place = failure instanceof ApiError ? failure.place : undefined
  const wrong = (name: string) => (place === name ? errorText(failure) : undefined)
  const save = async () => {
    setBusy(true)
    setFailure(undefined)
    try {
      const values = given.values.split('\n').filter((line) => line.trim())
      const uploaded = given.kind === 'file' && file ? await uploadTable(file) : {}
      const order = {
        name: given.name,
        short_name: given.short_name,
        kind: given.kind,
        connection_id: given.connection ? Number(given.connection) : null,
        query: given.query,
        path: given.path,
        values: given.kind === 'list' ? values : [],
        keep_seconds: given.minutes * 60,
        ...(known?.kind === 'file' ? { file_name: known.settings.file_name } : {}),
        ...uploaded,
      } as TableOrder
      await (known ? changeTable(known.id, order) : createTable(order))
      toast.good(t('area.sources.saved'))
      await forget()
      onClose()
    } catch (error) {
      setFailure(error)
      setBusy(false)
    }
  }
  const fitting = (connections.data?.items ?? []).filter((one) => one.kind === given.kind)
  return (
    <Drawer
      opened
      onClose={onClose}
      position="right"
      size={560}
      title={<b>{known?.name ?? t('area.sources.newTable')}</b>}
      closeButtonProps={{ 'aria-label': t('close') }}
    >
      <Stack gap="md">
        {failure !== undefined && !['name', 'short_name', 'values', 'connection_id', 'query'].includes(place ?? '') && (
          <Alert color="red" variant="light" role="alert">
            {errorText(failure)}
          </Alert>
        )}
        <TextInput
          label={t('area.sources.name')}
          data-autofocus
          maxLength={200}
          value={given.name}
          error={wrong('name')}
          onChange={({ currentTarget: { value } }) =>
            put({ name: value, ...(given.short_name === apiName(given.name) ? { short_name: apiName(value) } : {}) })
          }
        />
        <TextInput
          label={t('area.sources.shortName')}
          maxLength={63}
          value={given.short_name}
          error={wrong('short_name')}
          onChange={(event) => put({ short_name: event.currentTarget.value })}
        />
        {!known && (
          <Select
            label={t('area.sources.kind')}
            allowDeselect={false}
            data={KINDS.map((word) => ({ value: word, label: t(`area.sources.tableKinds.${word}`) }))}
            value={given.kind}
            onChange={(word) => word && put({ kind: word as Kind, connection: null })}
          />
        )}
        {given.kind === 'list' && (
          <Textarea
            label={t('area.sources.values')}
            description={t(known ? 'area.sources.valuesKept' : 'area.sources.valuesHint')}
            autosize
            minRows={6}
            maxRows={18}
            value={given.values}
            error={wrong('values')}
            onChange={(event) => put({ values: event.currentTarget.value })}
          />
        )}
        {given.kind === 'file' && (
          <FileInput
            label={t('area.sources.file')}
            description={known ? t('area.sources.valuesKept') : undefined}
            accept=".csv,.txt,.xlsx,.xls,.ods,.json"
            value={file}
            onChange={setFile}
          />
        )}
        {['sql', 'http'].includes(given.kind) && (
          <>
            <Select
              label={t('area.sources.connection')}
              data={fitting.map(({ id, name }) => ({ value: String(id), label: name }))}
              value={given.connection}
              error={wrong('connection_id')}
              onChange={(connection) => put({ connection })}
            />
            {given.kind === 'sql' ? (
              <Textarea
                label={t('area.sources.query')}
                autosize
                minRows={4}
                value={given.query}
                error={wrong('query')}
                onChange={(event) => put({ query: event.currentTarget.value })}
              />
            ) : (
              <TextInput
                label={t('area.sources.path')}
                description={t('area.sources.pathHint')}
                value={given.path}
                onChange={(event) => put({ path: event.currentTarget.value })}
              />
            )}
            <NumberInput
              label={t('area.sources.keep')}
              min={5}
              max={43_200}
              value={given.minutes}
              onChange={(value) => typeof value === 'number' && put({ minutes: value })}
            />
          </>
        )}
        <Group justify="flex-end" gap={8}>
          <Button variant="default" onClick={onClose}>
            {t('cancel')}
          </Button>
          <Button
            loading={busy}
            disabled={!given.name.trim() || (given.kind === 'file' && !file && !known)}
            onClick={save}
          >
            {t('save')}
          </Button>
        </Group>
      </Stack>
    </Drawer>
  )
}
