import { Alert, Button, Checkbox, Group, Modal, Select, Stack, TagsInput, Textarea, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { addField, changeField, useForgetDatabases, type ProfileField } from '../api/databases'
import { ApiError } from '../api/client'
import { errorText } from '../api/errorText'
import { apiName, MATCHING_TYPES, TYPES } from './fieldTypes'

type Props = { database: number; field?: ProfileField; onClose: () => void }

/** Adds a field, or changes one; its type is changed by a conversion. */
export function FieldDialog({ database, field, onClose }: Props) {
  const { t } = useTranslation()
  const forget = useForgetDatabases()
  const [given, setGiven] = useState({
    title: field?.title ?? '',
    name: field?.name ?? '',
    description: field?.description ?? '',
    type: field?.type ?? 'line',
    options: field?.options ?? [],
    required: field?.required ?? false,
    matching: field?.matching ?? false,
    hidden: field?.hidden ?? false,
  })
  const [named, setNamed] = useState(!!field)
  const [failure, setFailure] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const put = (part: Partial<typeof given>) => setGiven({ ...given, ...part })
  const place = failure instanceof ApiError ? failure.place : undefined
  const wrong = (name: string) => (place === name ? errorText(failure) : undefined)
  const options = given.type === 'enum' ? given.options : null
  const save = async () => {
    setBusy(true)
    setFailure(undefined)
    try {
      if (field) {
        const { title, name, description, required, matching, hidden } = given
        await changeField(database, field.name, { title, name, description, required, matching, hidden, options })
      } else {
        const { title, name, type, required, matching, description, hidden } = given
        await addField(database, { title, name, type, options, required, matching })
        if (description || hidden) await changeField(database, name, { description, hidden })
      }
      await forget()
      onClose()
    } catch (error) {
      setFailure(error)
      setBusy(false)
    }
  }
  return (
    <Modal
      opened
      onClose={onClose}
      size="lg"
      title={<b>{t(field ? 'area.databases.editTitle' : 'area.databases.addTitle')}</b>}
      closeButtonProps={{ 'aria-label': t('close') }}
    >
      <Stack gap="md">
        {failure !== undefined && !['title', 'name', 'options', 'matching', 'type'].includes(place ?? '') && (
          <Alert color="red" variant="light" role="alert">
            {errorText(failure)}
          </Alert>
        )}
        <TextInput
          label={t('area.databases.fieldTitle')}
          data-autofocus
          maxLength={200}
          value={given.title}
          error={wrong('title')}
          onChange={({ currentTarget: { value } }) => put({ title: value, ...(named ? {} : { name: apiName(value) }) })}
        />
        <TextInput
          label={t('area.databases.apiName')}
          description={t('area.databases.apiNameHint')}
          maxLength={63}
          value={given.name}
          error={wrong('name')}
          onChange={(event) => {
            setNamed(true)
            put({ name: event.currentTarget.value })
          }}
        />
        {!field && (
          <Select
            label={t('area.databases.type')}
            description={t(`area.databases.typeHints.${given.type}`)}
            allowDeselect={false}
            data={TYPES.map((type) => ({ value: type, label: t(`area.databases.types.${type}`) }))}
            value={given.type}
            error={wrong('type')}
            onChange={(type) => type && put({ type, matching: given.matching && MATCHING_TYPES.includes(type) })}
          />
        )}
        {given.type === 'enum' && (
          <TagsInput
            label={t('area.databases.options')}
            description={t('area.databases.optionsHint')}
            value={given.options}
            error={wrong('options')}
            onChange={(next) => put({ options: next })}
          />
        )}
        <Textarea
          label={t('area.databases.description')}
          autosize
          minRows={2}
          maxLength={2_000}
          value={given.description}
          onChange={(event) => put({ description: event.currentTarget.value })}
        />
        <Checkbox
          label={t('area.databases.trait.required')}
          description={t('area.databases.requiredHint')}
          checked={given.required}
          onChange={(event) => put({ required: event.currentTarget.checked })}
        />
        {MATCHING_TYPES.includes(given.type) && (
          <Checkbox
            label={t('area.databases.trait.matching')}
            description={t('area.databases.matchingHint')}
            checked={given.matching}
            error={wrong('matching')}
            onChange={(event) => put({ matching: event.currentTarget.checked })}
          />
        )}
        <Checkbox
          label={t('area.databases.trait.hidden')}
          description={t('area.databases.hiddenHint')}
          checked={given.hidden}
          onChange={(event) => put({ hidden: event.currentTarget.checked })}
        />
        <Group justify="flex-end" gap={8}>
          <Button variant="default" onClick={onClose}>
            {t('cancel')}
          </Button>
          <Button loading={busy} disabled={!given.title.trim() || !given.name} onClick={save}>
            {t(field ? 'save' : 'add')}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}
