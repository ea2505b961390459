import { ActionIcon, Alert, Button, Checkbox, Group, Stack, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { IconArrowDown, IconArrowUp, IconPlus, IconTrash } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { ApiError } from '../api/client'
import { errorText } from '../api/errorText'
import { setCategories, useForgetResources, type Category, type FullResource } from '../api/resources'
import { toast } from '../components/toasts'
import { apiName } from '../databases/fieldTypes'

/** The categories of a resource, edited as one list and saved together. */
export function CategoriesTab({ resource }: { resource: FullResource }) {
  const { t } = useTranslation()
  const forget = useForgetResources()
  const [rows, setRows] = useState<Category[]>(resource.categories)
  const save = useMutation({
    mutationFn: () => setCategories(resource.id, rows),
    onSuccess: async () => {
      toast.good(t('area.resources.saved'))
      await forget()
    },
  })
  const place = save.error instanceof ApiError ? save.error.place : undefined
  const put = (at: number, part: Partial<Category>) =>
    setRows(rows.map((row, index) => (index === at ? { ...row, ...part } : row)))
  const move = (at: number, by: number) => {
    const next = [...rows]
    const [row] = next.splice(at, 1)
    next.splice(at + by, 0, row!)
    setRows(next)
  }
  const dirty = JSON.stringify(rows) !== JSON.stringify(resource.categories)
  return (
    <section className="panel padded">
      <p style={{ marginTop: 0, color: 'var(--ink2)' }}>{t('area.resources.categoriesText')}</p>
      {save.isError && (
        <Alert color="red" variant="light" role="alert" mb="md">
          {errorText(save.error)}
        </Alert>
      )}
      {rows.length === 0 && <p style={{ color: 'var(--ink2)' }}>{t('area.resources.noCategories')}</p>}
      <Stack gap="sm">
        {rows.map((row, at) => (
          <Group key={row.id ?? `new${at}`} align="flex-end" gap={8} wrap="wrap">
            <TextInput
              label={t('area.resources.categoryTitle')}
              maxLength={200}
              style={{ flex: '1 1 180px' }}
              value={row.title}
              error={place === `categories.${at}.title`}
              onChange={({ currentTarget: { value } }) =>
                put(at, {
                  title: value,
                  ...(row.id === undefined && row.name === apiName(row.title) ? { name: apiName(value) } : {}),
                })
              }
            />
            <TextInput
              label={t('area.resources.categoryName')}
              maxLength={63}
              style={{ flex: '1 1 140px' }}
              value={row.name}
              error={place === `categories.${at}.name`}
              onChange={(event) => put(at, { name: event.currentTarget.value })}
            />
            <TextInput
              label={t('area.resources.categoryText')}
              maxLength={1_000}
              style={{ flex: '2 1 220px' }}
              value={row.description}
              onChange={(event) => put(at, { description: event.currentTarget.value })}
            />
            <Checkbox
              mb={9}
              label={t('area.resources.hidden')}
              checked={row.hidden}
              onChange={(event) => put(at, { hidden: event.currentTarget.checked })}
            />
            <Group gap={2} mb={5}>
              <ActionIcon
                variant="subtle"
                color="gray"
                disabled={at === 0}
                aria-label={t('area.resources.up', { name: row.title })}
                onClick={() => move(at, -1)}
              >
                <IconArrowUp size={16} />
              </ActionIcon>
              <ActionIcon
                variant="subtle"
                color="gray"
                disabled={at === rows.length - 1}
                aria-label={t('area.resources.down', { name: row.title })}
                onClick={() => move(at, 1)}
              >
                <IconArrowDown size={16} />
              </ActionIcon>
              <ActionIcon
                variant="subtle"
                color="gray"
                aria-label={t('area.resources.remove', { name: row.title })}
                onClick={() => setRows(rows.filter((_, index) => index !== at))}
              >
                <IconTrash size={16} />
              </ActionIcon>
            </Group>
          </Group>
        ))}
      </Stack>
      <Group mt="md" gap={8}>
        <Button
          variant="default"
          leftSection={<IconPlus size={15} />}
          onClick={() => setRows([...rows, { name: '', title: '', description: '', hidden: false }])}
        >
          {t('area.resources.addCategory')}
        </Button>
        <Button disabled={!dirty} loading={save.isPending} onClick={() => save.mutate()}>
          {t('save')}
        </Button>
        {dirty && <span style={{ color: 'var(--ink2)' }}>{t('area.resources.unsaved')}</span>}
      </Group>
    </section>
  )
}
