import { useQueryClient } from '@tanstack/react-query'
import { useCallback, useEffect, useRef } from 'react'
import { ApiError } from '../api/client'
import { errorText } from '../api/errorText'
import { saveScenario } from '../api/scenarios'
import { useLanguage } from '../i18n'
import { toast } from '../components/toasts'
import { useEditor } from './editorStore'
import { writeDocument } from './graph'

const QUIET_MS = 700

/**
 * Saves the draft a moment after the last change, one save at a time, each on the revision of the one before.
 * Gives a function that saves at once what is not saved yet; it tells whether everything is saved.
 */
export function useAutoSave(): () => Promise<boolean> {
  const language = useLanguage()
  const client = useQueryClient()
  const changes = useEditor((state) => state.changes)
  const running = useRef<Promise<boolean> | null>(null)

  const save = useCallback(async (): Promise<boolean> => {
    const state = useEditor.getState()
    if (state.saving === 'conflict') return false
    if (state.saving === 'saved') return true
    const saved = state.changes
    useEditor.setState({ saving: 'saving' })
    try {
      const scenario = await saveScenario(state.status.id, state.status.revision, writeDocument(state), language)
      const now = useEditor.getState()
      if (now.status.id !== scenario.id) return true
      now.accept(scenario)
      const done = now.changes === saved
      useEditor.setState({ saving: done ? 'saved' : 'unsaved' })
      void client.invalidateQueries({ queryKey: ['scenarios'] })
      return done
    } catch (error) {
      const stale = error instanceof ApiError && error.code === 'stale_revision'
      useEditor.setState({ saving: stale ? 'conflict' : 'failed' })
      if (!stale) toast.bad(errorText(error))
      return false
    }
  }, [client, language])

  const saveNow = useCallback(async () => {
    if (running.current) await running.current
    running.current = save()
    const done = await running.current
    running.current = null
    return done
  }, [save])

  useEffect(() => {
    if (useEditor.getState().saving === 'saved') return
    const timer = setTimeout(() => void saveNow(), QUIET_MS)
    return () => clearTimeout(timer)
  }, [changes, saveNow])

  useEffect(() => {
    const warn = (event: BeforeUnloadEvent) => {
      if (useEditor.getState().saving !== 'saved') event.preventDefault()
    }
    window.addEventListener('beforeunload', warn)
    return () => {
      window.removeEventListener('beforeunload', warn)
      void saveNow()
    }
  }, [saveNow])

  return saveNow
}
