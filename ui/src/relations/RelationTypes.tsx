import { ActionIcon, Button, Group, Modal, Select, Stack, TextInput } from '@mantine/core'
import { IconPencil, IconPlus, IconTrash } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { errorText } from '../api/errorText'
import { useDatabases } from '../api/lookups'
import {
  changeRelationType,
  createRelationType,
  deleteRelationType,
  useForgetRelations,
  useRelationTypes,
  type Property,
  type RelationType,
} from '../api/merging'
import { LoadFailure, Waiting } from '../components/states'
import { toast } from '../components/toasts'
import { apiName } from '../databases/fieldTypes'

/** The kinds of relations that profiles of a database can have. */
export function RelationTypes({ database }: { database: number }) {
  const { t } = useTranslation()
  const forget = useForgetRelations()
  const types = useRelationTypes()
  const databases = useDatabases()
  const [asked, ask] = useState<RelationType | 'new'>()
  const nameOf = (id: number) => databases.data?.find((one) => one.id === id)?.name ?? String(id)
  const rows = (types.data?.items ?? []).filter((one) => [one.database_a, one.database_b].includes(database))
  const remove = async (one: RelationType) => {
    try {
      await deleteRelationType(one.id)
      await forget()
    } catch (error) {
      toast.bad(errorText(error))
    }
  }
  return (
    <section className="panel padded" aria-label={t('area.merging.types')}>
      <Group justify="space-between" mb={4}>
        <h2 style={{ margin: 0 }}>{t('area.merging.types')}</h2>
        <Button size="compact-sm" variant="subtle" leftSection={<IconPlus size={14} />} onClick={() => ask('new')}>
          {t('area.merging.newType')}
        </Button>
      </Group>
      <p style={{ marginTop: 0, color: 'var(--ink2)' }}>{t('area.merging.typesText')}</p>
      {types.isPending && <Waiting rows={2} />}
      {types.isError && <LoadFailure error={types.error} retry={types.refetch} />}
      {types.isSuccess && rows.length === 0 && (
        <p style={{ margin: 0, color: 'var(--ink2)' }}>{t('area.merging.noTypesYet')}</p>
      )}
      {rows.map((one) => (
        <div key={one.id} className="subscription">
          <span style={{ flex: 1, minWidth: 0 }}>
            {one.name}
            <br />
            <small>
              {nameOf(one.database_a)} → {nameOf(one.database_b)}
              {one.properties.length > 0 && ` · ${one.properties.map(({ title }) => title).join(', ')}`}
            </small>
          </span>
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={`${t('area.people.edit')} ${one.name}`}
            onClick={() => ask(one)}
          >
            <IconPencil size={16} />
          </ActionIcon>
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={t('area.merging.deleteType', { name: one.name })}
            onClick={() => remove(one)}
          >
            <IconTrash size={16} />
          </ActionIcon>
        </div>
      ))}
      {asked && (
        <TypeDialog database={database} type={asked === 'new' ? undefined : asked} onClose={() => ask(undefined)} />
      )}
    </section>
  )
}

function TypeDialog({ database, type, onClose }: { database: number; type?: RelationType; onClose: () => void }) {
  const { t } = useTranslation()
  const forget = useForgetRelations()
  const databases = useDatabases()
  const [name, setName] = useState(type?.name ?? '')
  const [other, setOther] = useState(String(type?.database_b ?? database))
  const [properties, setProperties] = useState<Property[]>(type?.properties ?? [])
  const [busy, setBusy] = useState(false)
  const put = (at: number, part: Partial<Property>) =>
    setProperties(properties.map((one, index) => (index === at ? { ...one, ...part } : one)))
  const save = async () => {
    setBusy(true)
    try {
      if (type) await changeRelationType(type.id, { name, properties })
      else await createRelationType({ name, database_a: database, database_b: Number(other), properties })
      await forget()
      onClose()
    } catch (error) {
      toast.bad(errorText(error))
      setBusy(false)
    }
  }
  return (
    <Modal
      opened
      onClose={onClose}
      size="lg"
      title={<b>{type?.name ?? t('area.merging.newType')}</b>}
      closeButtonProps={{ 'aria-label': t('close') }}
    >
      <Stack gap="md">
        <TextInput
          label={t('area.merging.typeName')}
          data-autofocus
          maxLength={200}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        {!type && (
          <Select
            label={t('area.merging.toDatabase')}
            allowDeselect={false}
            data={databases.data?.map((one) => ({ value: String(one.id), label: one.name })) ?? []}
            value={other}
            onChange={(next) => next && setOther(next)}
          />
        )}
        {properties.map((one, at) => (
          <Group key={at} align="flex-end" gap={8}>
            <TextInput
              label={t('area.databases.fieldTitle')}
              style={{ flex: 1 }}
              value={one.title}
              onChange={({ currentTarget: { value } }) =>
                put(at, { title: value, ...(one.name === apiName(one.title) ? { name: apiName(value) } : {}) })
              }
            />
            <TextInput
              label={t('area.databases.apiName')}
              style={{ flex: 1 }}
              value={one.name}
              onChange={(event) => put(at, { name: event.currentTarget.value })}
            />
            <Select
              label={t('area.databases.type')}
              allowDeselect={false}
              style={{ flex: '0 1 130px' }}
              data={(['number', 'boolean'] as const).map((word) => ({ value: word, label: t(`area.merging.${word}`) }))}
              value={one.type}
              onChange={(word) => word && put(at, { type: word as Property['type'] })}
            />
            <ActionIcon
              mb={5}
              variant="subtle"
              color="gray"
              aria-label={t('area.merging.deleteType', { name: one.title })}
              onClick={() => setProperties(properties.filter((_, index) => index !== at))}
            >
              <IconTrash size={16} />
            </ActionIcon>
          </Group>
        ))}
        <Group justify="space-between" gap={8}>
          <Button
            variant="default"
            leftSection={<IconPlus size={15} />}
            onClick={() => setProperties([...properties, { name: '', title: '', type: 'number' }])}
          >
            {t('area.merging.addProperty')}
          </Button>
          <Group gap={8}>
            <Button variant="default" onClick={onClose}>
              {t('cancel')}
            </Button>
            <Button disabled={!name.trim()} loading={busy} onClick={save}>
              {t('save')}
            </Button>
          </Group>
        </Group>
      </Stack>
    </Modal>
  )
}
