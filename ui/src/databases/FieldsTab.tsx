import { ActionIcon, Badge, Button, Group, Menu, VisuallyHidden } from '@mantine/core'
import { IconArrowsExchange, IconDots, IconPencil, IconPlus, IconTrash } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Database, ProfileField } from '../api/databases'
import { settingText } from '../i18n'
import { ConvertDialog } from './ConvertDialog'
import { DeleteFieldDialog } from './DeleteFieldDialog'
import { FieldDialog } from './FieldDialog'

type Asked = { what: 'add' } | { what: 'edit' | 'convert' | 'delete'; field: ProfileField }

/** The own fields of a database, then the standard ones. */
export function FieldsTab({ database }: { database: Database }) {
  const { t } = useTranslation()
  const [asked, ask] = useState<Asked>()
  const own = database.fields.filter((field) => field.custom)
  const close = () => ask(undefined)
  return (
    <>
      <Group justify="space-between" mb="sm">
        <h2 className="panel-title" style={{ margin: 0 }}>
          {t('area.databases.ownFields')}
        </h2>
        <Button leftSection={<IconPlus size={16} />} onClick={() => ask({ what: 'add' })}>
          {t('area.databases.addField')}
        </Button>
      </Group>
      <div className="panel table-panel">
        {own.length ? (
          <FieldTable fields={own} onAsk={(what, field) => ask({ what, field })} />
        ) : (
          <p style={{ padding: '18px 20px', margin: 0, color: 'var(--ink2)' }}>{t('area.databases.noFields')}</p>
        )}
      </div>
      <h2 className="panel-title" style={{ margin: '22px 0 10px' }}>
        {t('area.databases.standardFields')}
      </h2>
      <div className="panel table-panel">
        <FieldTable fields={database.fields.filter((field) => !field.custom)} />
      </div>
      {asked?.what === 'add' && <FieldDialog database={database.id} onClose={close} />}
      {asked?.what === 'edit' && <FieldDialog database={database.id} field={asked.field} onClose={close} />}
      {asked?.what === 'convert' && <ConvertDialog database={database.id} field={asked.field} onClose={close} />}
      {asked?.what === 'delete' && <DeleteFieldDialog database={database.id} field={asked.field} onClose={close} />}
    </>
  )
}

type Ask = (what: 'edit' | 'convert' | 'delete', field: ProfileField) => void

function FieldTable({ fields, onAsk }: { fields: ProfileField[]; onAsk?: Ask }) {
  const { t } = useTranslation()
  return (
    <table className="table">
      <thead>
        <tr>
          <th>{t('area.databases.fieldTitle')}</th>
          <th>{t('area.databases.apiName')}</th>
          <th>{t('area.databases.type')}</th>
          {onAsk && <th>{t('area.databases.traits')}</th>}
          {onAsk && (
            <th>
              <VisuallyHidden>{t('area.databases.actions')}</VisuallyHidden>
            </th>
          )}
        </tr>
      </thead>
      <tbody>
        {fields.map((field) => (
          <tr key={field.name}>
            <td style={{ whiteSpace: 'normal' }}>
              <b style={{ fontWeight: 560 }}>{settingText(field.title)}</b>
              {field.description && (
                <div className="soft" style={{ whiteSpace: 'normal' }}>
                  {field.description}
                </div>
              )}
            </td>
            <td>
              <code>{field.name}</code>
            </td>
            <td>
              {t(`area.databases.types.${field.type}`)}
              {field.type === 'enum' && <span className="soft"> · {field.options?.length}</span>}
            </td>
            {onAsk && (
              <>
                <td>
                  <Traits field={field} />
                </td>
                <td style={{ textAlign: 'right' }}>
                  <FieldMenu field={field} onAsk={onAsk} />
                </td>
              </>
            )}
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function Traits({ field }: { field: ProfileField }) {
  const { t } = useTranslation()
  const traits = (['required', 'matching', 'hidden'] as const).filter((trait) => field[trait])
  return (
    <Group gap={6}>
      {traits.map((trait) => (
        <Badge key={trait} variant="light" color={trait === 'hidden' ? 'gray' : 'blue'} radius="sm" tt="none" fw={560}>
          {t(`area.databases.trait.${trait}`)}
        </Badge>
      ))}
    </Group>
  )
}

function FieldMenu({ field, onAsk }: { field: ProfileField; onAsk: Ask }) {
  const { t } = useTranslation()
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" aria-label={t('area.databases.actionsOf', { name: field.title })}>
          <IconDots size={18} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconPencil size={16} />} onClick={() => onAsk('edit', field)}>
          {t('area.databases.edit')}
        </Menu.Item>
        <Menu.Item leftSection={<IconArrowsExchange size={16} />} onClick={() => onAsk('convert', field)}>
          {t('area.databases.convert')}
        </Menu.Item>
        <Menu.Item color="red" leftSection={<IconTrash size={16} />} onClick={() => onAsk('delete', field)}>
          {t('area.databases.delete')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
