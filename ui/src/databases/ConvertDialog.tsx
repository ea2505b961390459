import { Alert, Button, Group, Modal, Progress, Radio, Select, Stack, TagsInput, Text } from '@mantine/core'
import { IconAlertTriangle, IconCircleCheck } from '@tabler/icons-react'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { isRunning, useBulkTask } from '../api/bulk'
import {
  convertField,
  previewConversion,
  useForgetDatabases,
  type Conversion,
  type ProfileField,
} from '../api/databases'
import { errorText } from '../api/errorText'
import { cancelTask } from '../api/imports'
import { LoadFailure, Waiting } from '../components/states'
import { number } from '../format/numbers'
import { settingText } from '../i18n'
import { TYPES } from './fieldTypes'

type Props = { database: number; field: ProfileField; onClose: () => void }

/** Gives a field another type: what would not convert is seen before anything happens. */
export function ConvertDialog({ database, field, onClose }: Props) {
  const { t } = useTranslation()
  const [task, setTask] = useState<number>()
  return (
    <Modal
      opened
      onClose={onClose}
      size="lg"
      title={<b>{t('area.databases.convertTitle', { name: settingText(field.title) })}</b>}
      closeButtonProps={{ 'aria-label': t('close') }}
    >
      {task === undefined ? (
        <Choice database={database} field={field} onClose={onClose} onStarted={setTask} />
      ) : (
        <Running id={task} onClose={onClose} />
      )}
    </Modal>
  )
}

function Choice({ database, field, onClose, onStarted }: Props & { onStarted: (task: number) => void }) {
  const { t } = useTranslation()
  const [type, setType] = useState<string | null>(null)
  const [options, setOptions] = useState<string[]>([])
  const [misfits, setMisfits] = useState<'refuse' | 'clear'>('refuse')
  const chosen = type === 'enum' ? options : null
  const preview = useMutation({ mutationFn: () => previewConversion(database, field.name, type!, chosen) })
  const start = useMutation({
    mutationFn: () => convertField(database, field.name, type!, chosen, misfits),
    onSuccess: ({ id }) => onStarted(id),
  })
  const failure = preview.error ?? start.error
  const told = preview.data
  return (
    <Stack gap="md">
      <Select
        label={t('area.databases.newType')}
        placeholder={t('area.databases.types.' + field.type)}
        data={TYPES.filter((one) => one !== field.type).map((one) => ({
          value: one,
          label: t(`area.databases.types.${one}`),
        }))}
        value={type}
        onChange={(next) => {
          setType(next)
          preview.reset()
        }}
      />
      {type === 'enum' && (
        <TagsInput
          label={t('area.databases.options')}
          value={options}
          onChange={(next) => {
            setOptions(next)
            preview.reset()
          }}
        />
      )}
      {failure && (
        <Alert color="red" variant="light" role="alert">
          {errorText(failure)}
        </Alert>
      )}
      {told && <Told told={told} />}
      {told && told.misfits > 0 && (
        <Radio.Group
          label={t('area.databases.misfits')}
          value={misfits}
          onChange={(value) => setMisfits(value as 'refuse' | 'clear')}
        >
          <Stack gap={8} mt={8}>
            <Radio value="refuse" label={t('area.databases.misfitsRefuse')} />
            <Radio value="clear" label={t('area.databases.misfitsClear')} />
          </Stack>
        </Radio.Group>
      )}
      <Group justify="flex-end" gap={8}>
        <Button variant="default" onClick={onClose}>
          {t('cancel')}
        </Button>
        {told ? (
          <Button
            color={told.misfits && misfits === 'clear' ? 'red' : undefined}
            disabled={told.misfits > 0 && misfits === 'refuse' && told.exact}
            loading={start.isPending}
            onClick={() => start.mutate()}
          >
            {t('area.databases.convertNow')}
          </Button>
        ) : (
          <Button
            disabled={!type || (type === 'enum' && !options.length)}
            loading={preview.isPending}
            onClick={() => preview.mutate()}
          >
            {t('area.databases.preview')}
          </Button>
        )}
      </Group>
    </Stack>
  )
}

function Told({ told }: { told: Conversion }) {
  const { t } = useTranslation()
  const about = told.exact ? '' : '≈ '
  return (
    <Alert
      color={told.misfits ? 'yellow' : 'teal'}
      variant="light"
      icon={told.misfits ? <IconAlertTriangle size={18} /> : <IconCircleCheck size={18} />}
      title={t('area.databases.previewTold', {
        fits: about + number(told.fits),
        misfits: about + number(told.misfits),
      })}
    >
      {!told.exact && <Text size="sm">{t('area.databases.previewShare')}</Text>}
      {told.examples.length > 0 && (
        <ul style={{ margin: '6px 0 0', paddingLeft: 18 }}>
          {told.examples.slice(0, 8).map(({ value, reason }) => (
            <li key={value}>
              <code>{value}</code> – {reason}
            </li>
          ))}
        </ul>
      )}
    </Alert>
  )
}

function Running({ id, onClose }: { id: number; onClose: () => void }) {
  const { t } = useTranslation()
  const forget = useForgetDatabases()
  const task = useBulkTask(id)
  const stop = useMutation({ mutationFn: () => cancelTask(id) })
  if (task.isError) return <LoadFailure error={task.error} retry={task.refetch} />
  if (task.isPending) return <Waiting rows={2} />
  const { state, done, total, error, result } = task.data
  const close = async () => {
    await forget()
    onClose()
  }
  const running = isRunning(task.data)
  return (
    <Stack gap="md" role="status">
      {running && <Progress value={total ? (100 * done) / total : 0} animated size="lg" radius="xl" />}
      {running && <Text size="sm">{t('area.databases.converting')}</Text>}
      {state === 'completed' && (
        <Alert color="teal" variant="light" icon={<IconCircleCheck size={18} />}>
          {t('area.databases.converted', { count: (result?.cleared as number | undefined) ?? 0 })}
        </Alert>
      )}
      {(state === 'failed' || state === 'cancelled') && (
        <Alert color="red" variant="light" title={t('area.databases.notConverted')}>
          {error}
        </Alert>
      )}
      <Group justify="flex-end" gap={8}>
        {running && (
          <Button variant="default" loading={stop.isPending} onClick={() => stop.mutate()}>
            {t('area.bulk.stop')}
          </Button>
        )}
        <Button onClick={close}>{t('close')}</Button>
      </Group>
    </Stack>
  )
}
