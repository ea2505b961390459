import { Button, Checkbox, Drawer, Group, Menu, Select } from '@mantine/core'
import {
  IconColumns3,
  IconDatabase,
  IconFileExport,
  IconFilter,
  IconPencil,
  IconPlus,
  IconUpload,
  IconUsers,
} from '@tabler/icons-react'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Database } from '../api/databases'
import { useDatabases, useNamed } from '../api/lookups'
import { allItems } from '../api/page'
import type { AudienceSearch } from '../bulk/audienceSearch'
import { useProfiles, type Narrowing } from '../api/profiles'
import { PageHead } from '../components/PageHead'
import { SearchField } from '../components/SearchField'
import { EmptyState, LoadFailure, Waiting } from '../components/states'
import { number } from '../format/numbers'
import { RulesField } from '../forms/rules/RulesField'
import { settingText } from '../i18n'
import { EditDrawer } from './EditDrawer'
import { ProfileTable } from './ProfileTable'
import { useColumns } from './useColumns'

const route = getRouteApi('/app/profiles')
type Rules = Record<string, unknown>
const hasRules = (rules: unknown) => !!rules && Object.keys(rules).length > 0 && JSON.stringify(rules) !== '{"all":[]}'

/** People of a database: found, narrowed, chosen. */
export function ProfilesPage() {
  const { t } = useTranslation()
  const databases = useDatabases()
  const { database: wanted, search = '', segment, rules } = route.useSearch()
  const navigate = route.useNavigate()
  const [creating, setCreating] = useState(false)
  const database = databases.data?.find(({ id }) => id === wanted) ?? databases.data?.[0]
  if (databases.isError) return <LoadFailure error={databases.error} retry={databases.refetch} />
  if (databases.isSuccess && !database)
    return (
      <EmptyState icon={IconDatabase} title={t('profiles.noDatabase')} text={t('profiles.noDatabaseText')}>
        <Button component={Link} to="/databases">
          {t('nav.databases')}
        </Button>
      </EmptyState>
    )
  const about = database && (database.about > 10_000 ? '≈ ' : '') + number(database.about)
  return (
    <div className="page">
      <PageHead
        title={t('profiles.title')}
        subtitle={database && `${t('profiles.subtitle', { database: database.name })} · ${about}`}
      >
        <Button component={Link} to="/imports" variant="default" leftSection={<IconUpload size={16} />}>
          {t('profiles.import')}
        </Button>
        <Button leftSection={<IconPlus size={16} />} onClick={() => setCreating(true)}>
          {t('area.people.new')}
        </Button>
      </PageHead>
      {database && <People key={database.id} database={database} narrowing={{ search, segment, rules }} />}
      {creating && database && (
        <EditDrawer
          database={database.id}
          fields={database.fields}
          onClose={() => setCreating(false)}
          onSaved={(id) => navigate({ to: '/profiles/$id', params: { id } })}
        />
      )}
    </div>
  )
}

function People({ database, narrowing }: { database: Database; narrowing: Narrowing }) {
  const { t } = useTranslation()
  const { search, segment, rules } = narrowing
  const profiles = useProfiles(database.id, narrowing)
  const [columns, setColumns] = useColumns(database)
  const [chosen, setChosen] = useState<Set<string>>(new Set())
  const rows = allItems(profiles.data?.pages)
  const content = () => {
    if (profiles.isPending) return <Waiting />
    if (profiles.isError) return <LoadFailure error={profiles.error} retry={profiles.refetch} />
    if (rows.length)
      return (
        <ProfileTable
          rows={rows}
          fields={database.fields}
          columns={columns}
          chosen={chosen}
          onChosen={setChosen}
          query={profiles}
        />
      )
    if (search || segment || rules) return <EmptyState icon={IconUsers} title={t('area.people.nobody')} />
    return (
      <EmptyState icon={IconUsers} title={t('profiles.empty')} text={t('profiles.emptyText')}>
        <Button component={Link} to="/imports">
          {t('profiles.import')}
        </Button>
      </EmptyState>
    )
  }
  return (
    <>
      <Tools database={database} narrowing={narrowing} columns={columns} onColumns={setColumns} />
      {(chosen.size > 0 || segment || rules) && (
        <Bulk database={database.id} narrowing={narrowing} chosen={chosen} onClear={() => setChosen(new Set())} />
      )}
      <div className="panel table-panel">{content()}</div>
    </>
  )
}

type ToolsProps = { database: Database; narrowing: Narrowing; columns: string[]; onColumns: (names: string[]) => void }

function Tools({ database, narrowing: { search, segment, rules }, columns, onColumns }: ToolsProps) {
  const { t } = useTranslation()
  const navigate = route.useNavigate()
  const databases = useDatabases()
  const segments = useNamed('segment')
  const [filtering, setFiltering] = useState(false)
  const own = segments.items.filter((one) => one.database_id === database.id)
  return (
    <div style={{ display: 'flex', gap: 8, marginBottom: 12, flexWrap: 'wrap' }}>
      <SearchField
        label={t('area.people.search')}
        value={search}
        onSearch={(text) => navigate({ search: (old) => ({ ...old, search: text || undefined }), replace: true })}
      />
      {(databases.data?.length ?? 0) > 1 && (
        <Select
          aria-label={t('profiles.database')}
          leftSection={<IconDatabase size={15} />}
          allowDeselect={false}
          data={databases.data?.map(({ id, name }) => ({ value: String(id), label: name })) ?? []}
          value={String(database.id)}
          onChange={(id) => navigate({ search: { database: Number(id) } })}
        />
      )}
      <Select
        aria-label={t('area.bulk.segment')}
        placeholder={t('area.people.anySegment')}
        clearable
        searchable
        data={own.map(({ id, name }) => ({ value: String(id), label: name }))}
        value={segment ? String(segment) : null}
        onChange={(id) => navigate({ search: (old) => ({ ...old, segment: id ? Number(id) : undefined }) })}
      />
      <Button
        variant={rules ? 'light' : 'default'}
        leftSection={<IconFilter size={16} />}
        onClick={() => setFiltering(true)}
      >
        {t(rules ? 'area.people.filterOn' : 'area.people.filter')}
      </Button>
      <ColumnMenu database={database} columns={columns} onColumns={onColumns} />
      {filtering && (
        <FilterDrawer
          database={database.id}
          rules={rules}
          onClose={() => setFiltering(false)}
          onRules={(next) => {
            setFiltering(false)
            void navigate({ search: (old) => ({ ...old, rules: next }) })
          }}
        />
      )}
    </div>
  )
}

function ColumnMenu({ database, columns, onColumns }: Pick<ToolsProps, 'database' | 'columns' | 'onColumns'>) {
  const { t } = useTranslation()
  const toggle = (name: string) =>
    onColumns(columns.includes(name) ? columns.filter((one) => one !== name) : [...columns, name])
  return (
    <Menu closeOnItemClick={false} position="bottom-end">
      <Menu.Target>
        <Button variant="default" leftSection={<IconColumns3 size={16} />}>
          {t('area.people.columns')}
        </Button>
      </Menu.Target>
      <Menu.Dropdown mah={420} style={{ overflowY: 'auto' }}>
        {database.fields
          .filter((field) => !field.hidden && !['_fname', '_lname'].includes(field.name))
          .map((field) => (
            <Menu.Item
              key={field.name}
              role="menuitemcheckbox"
              aria-checked={columns.includes(field.name)}
              leftSection={
                <Checkbox size="xs" readOnly tabIndex={-1} aria-hidden checked={columns.includes(field.name)} />
              }
              onClick={() => toggle(field.name)}
            >
              {settingText(field.title)}
            </Menu.Item>
          ))}
      </Menu.Dropdown>
    </Menu>
  )
}

type FilterProps = {
  database: number
  rules: string | undefined
  onClose: () => void
  onRules: (rules?: string) => void
}

function FilterDrawer({ database, rules, onClose, onRules }: FilterProps) {
  const { t } = useTranslation()
  const [tree, setTree] = useState<Rules>(() => (rules ? (JSON.parse(rules) as Rules) : {}))
  return (
    <Drawer
      opened
      onClose={onClose}
      position="right"
      size="xl"
      title={<b>{t('area.people.filter')}</b>}
      closeButtonProps={{ 'aria-label': t('close') }}
    >
      <RulesField
        name="rules"
        schema={{}}
        label={t('area.people.filterHint')}
        hint={undefined}
        required={false}
        error={undefined}
        value={tree}
        context={{ database, steps: [], nodeType: '', disabled: false }}
        onChange={(next) => setTree(next as Rules)}
      />
      <Group justify="flex-end" gap={8} mt="lg">
        <Button variant="default" onClick={() => onRules(undefined)}>
          {t('area.people.filterClear')}
        </Button>
        <Button onClick={() => onRules(hasRules(tree) ? JSON.stringify(tree) : undefined)}>
          {t('area.people.filterApply')}
        </Button>
      </Group>
    </Drawer>
  )
}

type BulkProps = { database: number; narrowing: Narrowing; chosen: Set<string>; onClear: () => void }

/** What can be done with those who were chosen, or with all whom the filter shows. */
function Bulk({ database, narrowing: { segment, rules }, chosen, onClear }: BulkProps) {
  const { t } = useTranslation()
  const navigate = route.useNavigate()
  const audience: AudienceSearch = chosen.size
    ? { database, profiles: [...chosen].join(',') }
    : { database, segment, rules }
  return (
    <div className="bulk-bar" role="region" aria-label={t('area.people.bulk')}>
      <b>{chosen.size ? t('area.bulk.chosen', { count: chosen.size }) : t('area.people.allFiltered')}</b>
      <Button
        size="compact-sm"
        variant="default"
        leftSection={<IconPencil size={14} />}
        onClick={() => navigate({ to: '/bulk-update', search: audience })}
      >
        {t('area.bulk.update')}
      </Button>
      <Button
        size="compact-sm"
        variant="default"
        leftSection={<IconFileExport size={14} />}
        onClick={() => navigate({ to: '/exports', search: { ...audience, new: true } })}
      >
        {t('area.people.export')}
      </Button>
      {chosen.size > 0 && (
        <Button size="compact-sm" variant="subtle" onClick={onClear}>
          {t('area.people.unselect')}
        </Button>
      )}
    </div>
  )
}
