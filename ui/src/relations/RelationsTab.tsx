import { ActionIcon, Button, Group, Modal, NumberInput, Select, Stack, Switch } from '@mantine/core'
import { IconPlus, IconTrash } from '@tabler/icons-react'
import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { errorText } from '../api/errorText'
import {
  endRelation,
  readRelations,
  setRelation,
  useForgetRelations,
  useRelationTypes,
  type Relation,
  type RelationType,
} from '../api/merging'
import type { Profile, ProfileRow } from '../api/profiles'
import { MoreButton } from '../components/MoreButton'
import { EmptyState, LoadFailure, Waiting } from '../components/states'
import { toast } from '../components/toasts'
import { day } from '../format/dates'
import { called, FindProfile } from '../merging/FindProfile'

/** To whom a person is related. */
export function RelationsTab({ profile }: { profile: Profile }) {
  const { t } = useTranslation()
  const forget = useForgetRelations()
  const [adding, setAdding] = useState(false)
  const relations = useInfiniteQuery({
    queryKey: ['relations', profile.id],
    queryFn: ({ pageParam, signal }) => readRelations(profile.id, pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
  })
  const rows = relations.data?.pages.flatMap((page) => page.items) ?? []
  const end = async (one: Relation) => {
    try {
      await endRelation(profile.id, { type: one.type_id, other: one.other, direction: one.direction })
      await forget()
    } catch (error) {
      toast.bad(errorText(error))
    }
  }
  return (
    <section className="panel padded" aria-label={t('area.merging.relations')}>
      <Group justify="flex-end" mb="sm">
        <Button size="compact-sm" variant="subtle" leftSection={<IconPlus size={14} />} onClick={() => setAdding(true)}>
          {t('area.merging.add')}
        </Button>
      </Group>
      {relations.isPending && <Waiting rows={3} />}
      {relations.isError && <LoadFailure error={relations.error} retry={relations.refetch} />}
      {relations.isSuccess && rows.length === 0 && (
        <EmptyState title={t('area.merging.noRelations')} text={t('area.merging.noRelationsText')} />
      )}
      {rows.map((one) => (
        <div key={`${one.type_id} ${one.direction} ${one.other}`} className="subscription">
          <span style={{ flex: 1, minWidth: 0 }}>
            <Link to="/profiles/$id" params={{ id: one.other }} className="row-link">
              {one.other_name || one.other}
            </Link>
            <br />
            <small>
              {[
                one.type_name,
                t(`area.merging.${one.direction}`),
                ...Object.entries(one.weights).map(([name, value]) => `${name}: ${String(value)}`),
                day(one.created_at),
              ].join(' · ')}
            </small>
          </span>
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={t('area.merging.end', { name: one.other_name || one.other })}
            onClick={() => end(one)}
          >
            <IconTrash size={16} />
          </ActionIcon>
        </div>
      ))}
      <MoreButton query={relations} />
      {adding && <AddRelation profile={profile} onClose={() => setAdding(false)} />}
    </section>
  )
}

function AddRelation({ profile, onClose }: { profile: Profile; onClose: () => void }) {
  const { t } = useTranslation()
  const forget = useForgetRelations()
  const types = useRelationTypes()
  const fitting = (types.data?.items ?? []).filter((one) => [one.database_a, one.database_b].includes(profile.database))
  const [typeId, setTypeId] = useState<string | null>(null)
  const [direction, setDirection] = useState<'from' | 'to'>('from')
  const [other, setOther] = useState<ProfileRow>()
  const [weights, setWeights] = useState<Record<string, number | boolean>>({})
  const [busy, setBusy] = useState(false)
  const kind = fitting.find((one) => String(one.id) === typeId)
  const ways = kind ? waysOf(kind, profile.database) : []
  const way = ways.includes(direction) ? direction : (ways[0] ?? 'from')
  const save = async () => {
    setBusy(true)
    try {
      await setRelation(profile.id, { type: kind!.id, other: other!.id, direction: way, weights, add: false })
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
      title={<b>{t('area.merging.add')}</b>}
      closeButtonProps={{ 'aria-label': t('close') }}
    >
      <Stack gap="md">
        {types.isSuccess && fitting.length === 0 && <p style={{ margin: 0 }}>{t('area.merging.noTypes')}</p>}
        <Select
          label={t('area.merging.kind')}
          data={fitting.map((one) => ({ value: String(one.id), label: one.name }))}
          value={typeId}
          onChange={(next) => {
            setTypeId(next)
            setOther(undefined)
            setWeights({})
          }}
        />
        {ways.length > 1 && (
          <Select
            label={t('area.merging.way')}
            allowDeselect={false}
            data={ways.map((word) => ({ value: word, label: t(`area.merging.${word}`) }))}
            value={way}
            onChange={(word) => word && setDirection(word as 'from' | 'to')}
          />
        )}
        {kind && !other && (
          <FindProfile
            key={way}
            database={way === 'from' ? kind.database_b : kind.database_a}
            without={profile.id}
            onChoose={setOther}
          />
        )}
        {other && <b>{called(other.fields, other.id)}</b>}
        {kind?.properties.map((one) =>
          one.type === 'boolean' ? (
            <Switch
              key={one.name}
              label={one.title}
              checked={weights[one.name] === true}
              onChange={(event) => setWeights({ ...weights, [one.name]: event.currentTarget.checked })}
            />
          ) : (
            <NumberInput
              key={one.name}
              label={one.title}
              value={(weights[one.name] as number | undefined) ?? ''}
              onChange={(value) => typeof value === 'number' && setWeights({ ...weights, [one.name]: value })}
            />
          ),
        )}
        <Group justify="flex-end" gap={8}>
          <Button variant="default" onClick={onClose}>
            {t('cancel')}
          </Button>
          <Button disabled={!kind || !other} loading={busy} onClick={save}>
            {t('add')}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}

function waysOf(kind: RelationType, database: number): ('from' | 'to')[] {
  return [
    ...(kind.database_a === database ? (['from'] as const) : []),
    ...(kind.database_b === database ? (['to'] as const) : []),
  ]
}
