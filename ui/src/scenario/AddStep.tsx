import { Menu, ScrollArea } from '@mantine/core'
import { IconPlus } from '@tabler/icons-react'
import { useReactFlow } from '@xyflow/react'
import { Fragment } from 'react'
import { useTranslation } from 'react-i18next'
import type { NodeType, Port } from '../api/scenarios'
import { useEditor } from './editorStore'
import { CARD_WIDTH } from './layout'
import { nodeIcon } from './nodeIcons'
import { CATEGORIES, usePaletteTypes } from './paletteTypes'

const STEP_X = CARD_WIDTH + 76
const BRANCH_Y = 190

type Props = { id: string; port: Port; label: string; onHeader?: boolean }

/** The “+” of a free output: adds the next step without dragging. */
export function AddStep({ id, port, label, onHeader }: Props) {
  const { t } = useTranslation()
  const flow = useReactFlow()
  const types = usePaletteTypes().filter((type) => type.takes_input)
  const add = (type: NodeType) => {
    const from = flow.getNode(id)!.position
    const downwards = onHeader || port.tone === 'yes' ? 0 : BRANCH_Y
    useEditor.getState().addNode(type, { x: from.x + STEP_X, y: from.y + downwards }, { source: id, port: port.id })
  }
  return (
    /* A click here, or in the menu, is not one on the card. */
    <span onClick={(event) => event.stopPropagation()}>
      <Menu position="right-start" width={220} withinPortal>
        <Menu.Target>
          <button
            type="button"
            className={`plus nodrag nopan tone-${port.tone}${onHeader ? ' on-header' : ''}`}
            aria-label={label}
          >
            <IconPlus size={14} stroke={2.4} />
          </button>
        </Menu.Target>
        <Menu.Dropdown className="nowheel">
          <ScrollArea.Autosize mah={420} type="auto" scrollbarSize={6}>
            {CATEGORIES.map((category) => {
              const own = types.filter((type) => type.category === category)
              return own.length === 0 ? null : (
                <Fragment key={category}>
                  <Menu.Label>{t(`palette.category.${category}`)}</Menu.Label>
                  {own.map((type) => {
                    const Icon = nodeIcon(type.icon)
                    return (
                      <Menu.Item
                        key={type.type}
                        leftSection={
                          <span className={`tile mini cat-${category}`}>
                            <Icon size={15} stroke={1.8} />
                          </span>
                        }
                        onClick={() => add(type)}
                      >
                        {type.title}
                      </Menu.Item>
                    )
                  })}
                </Fragment>
              )
            })}
          </ScrollArea.Autosize>
        </Menu.Dropdown>
      </Menu>
    </span>
  )
}
