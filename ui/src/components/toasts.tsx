import { Notification } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { create } from 'zustand'

type Toast = { id: number; kind: 'good' | 'bad'; text: string }
type Toasts = { list: Toast[]; show: (kind: Toast['kind'], text: string) => void; drop: (id: number) => void }

const SHOWN_MS = { good: 4000, bad: 9000 }
let next = 1

const useToasts = create<Toasts>((set, get) => ({
  list: [],
  show: (kind, text) => {
    const id = next++
    set((state) => ({ list: [...state.list.filter((toast) => toast.text !== text), { id, kind, text }].slice(-4) }))
    setTimeout(() => get().drop(id), SHOWN_MS[kind])
  },
  drop: (id) => set((state) => ({ list: state.list.filter((toast) => toast.id !== id) })),
}))

export const toast = {
  good: (text: string) => useToasts.getState().show('good', text),
  bad: (text: string) => useToasts.getState().show('bad', text),
}

export function ToastArea() {
  const { t } = useTranslation()
  const { list, drop } = useToasts()
  return (
    <div className="toasts" role="status" aria-live="polite">
      {list.map(({ id, kind, text }) => (
        <Notification
          key={id}
          color={kind === 'good' ? 'teal' : 'red'}
          onClose={() => drop(id)}
          closeButtonProps={{ 'aria-label': t('close') }}
          withBorder
          radius="lg"
        >
          {text}
        </Notification>
      ))}
    </div>
  )
}
