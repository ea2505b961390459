import { ScrollArea, TextInput } from '@mantine/core'
import { IconSearch } from '@tabler/icons-react'
import { useEffect, useRef, useState, type PointerEvent as ReactPointerEvent } from 'react'
import { useTranslation } from 'react-i18next'
import type { NodeType } from '../api/scenarios'
import { nodeIcon } from './nodeIcons'
import { CATEGORIES, usePaletteTypes } from './paletteTypes'

const DRAG_FROM = 5

type Props = { onDrop: (type: NodeType, x: number, y: number) => void; onPick: (type: NodeType) => void }

export function Palette({ onDrop, onPick }: Props) {
  const { t } = useTranslation()
  const types = usePaletteTypes()
  const [search, setSearch] = useState('')
  const field = useSlashKey()
  const found = types.filter((type) => type.title.toLowerCase().includes(search.trim().toLowerCase()))
  return (
    <aside className="palette" aria-label={t('palette.title')}>
      <TextInput
        ref={field}
        leftSection={<IconSearch size={15} />}
        rightSection={<kbd aria-hidden>/</kbd>}
        placeholder={t('palette.search')}
        aria-label={t('palette.search')}
        value={search}
        onChange={(event) => setSearch(event.currentTarget.value)}
      />
      <ScrollArea.Autosize className="palette-list" type="hover" scrollbarSize={6}>
        {CATEGORIES.map((category) => {
          const own = found.filter((type) => type.category === category)
          return own.length === 0 ? null : (
            <section key={category} className="palette-group">
              <h2>{t(`palette.category.${category}`)}</h2>
              {own.map((type) => (
                <PaletteItem key={type.type} type={type} onDrop={onDrop} onPick={onPick} />
              ))}
            </section>
          )
        })}
        {types.length > 0 && found.length === 0 && <p className="palette-hint">{t('palette.nothing')}</p>}
      </ScrollArea.Autosize>
      <p className="palette-hint">{t('palette.hint')}</p>
    </aside>
  )
}

function PaletteItem({ type, onDrop, onPick }: Props & { type: NodeType }) {
  const Icon = nodeIcon(type.icon)
  return (
    <button
      type="button"
      className="palette-item"
      title={type.description}
      onPointerDown={(event) => drag(event, type, onDrop, onPick)}
      /* A click without a pointer comes from the keyboard. */
      onClick={(event) => event.detail === 0 && onPick(type)}
    >
      <span className={`tile mini cat-${type.category}`}>
        <Icon size={16} stroke={1.8} />
      </span>
      {type.title}
    </button>
  )
}

/** Pointer events and not HTML's drag and drop: they also work for touch, and a button can be dragged in every browser. */
function drag(
  event: ReactPointerEvent<HTMLButtonElement>,
  type: NodeType,
  onDrop: Props['onDrop'],
  onPick: Props['onPick'],
) {
  if (event.button !== 0) return
  const item = event.currentTarget
  const from = { x: event.clientX, y: event.clientY }
  let ghost: HTMLElement | null = null
  const move = ({ clientX, clientY }: PointerEvent) => {
    if (!ghost && Math.hypot(clientX - from.x, clientY - from.y) > DRAG_FROM) {
      ghost = item.cloneNode(true) as HTMLElement
      ghost.classList.add('ghost')
      document.body.append(ghost)
    }
    if (ghost) ghost.style.transform = `translate(${clientX - 24}px,${clientY - 20}px)`
  }
  const stop = () => {
    window.removeEventListener('pointermove', move)
    window.removeEventListener('pointerup', up)
    window.removeEventListener('pointercancel', stop)
    ghost?.remove()
  }
  const up = ({ clientX, clientY }: PointerEvent) => {
    const dragged = ghost !== null
    stop()
    if (!dragged) onPick(type)
    else if (!document.elementFromPoint(clientX, clientY)?.closest('.palette')) onDrop(type, clientX, clientY)
  }
  window.addEventListener('pointermove', move)
  window.addEventListener('pointerup', up)
  window.addEventListener('pointercancel', stop)
}

function useSlashKey() {
  const field = useRef<HTMLInputElement>(null)
  useEffect(() => {
    const focus = (event: KeyboardEvent) => {
      if (event.key !== '/' || (event.target as HTMLElement).closest('input, textarea, [contenteditable]')) return
      event.preventDefault()
      field.current?.focus()
    }
    window.addEventListener('keydown', focus)
    return () => window.removeEventListener('keydown', focus)
  }, [])
  return field
}
