import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { Language } from '../i18n'
import { ApiError, call, setCsrfToken } from './client'

export type Session = {
  user: { id: number; email: string; name: string; role: 'master' | 'editor' | 'viewer'; language: Language }
  csrf_token: string
}

const KEY = ['session']

async function keepToken(session: Promise<Session>): Promise<Session> {
  const found = await session
  setCsrfToken(found.csrf_token)
  return found
}

/** Who is logged in; null when nobody is. */
export const sessionQuery = {
  queryKey: KEY,
  queryFn: async (): Promise<Session | null> => {
    try {
      return await keepToken(call<Session>('GET', '/session'))
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) return null
      throw error
    }
  },
  staleTime: Infinity,
}

export const useSession = () => useQuery(sessionQuery)

export function useLogIn() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (given: { email: string; password: string }) =>
      keepToken(call<Session>('POST', '/session', { body: given })),
    onSuccess: (session) => client.setQueryData(KEY, session),
  })
}

export function useLogOut() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: () => call<void>('DELETE', '/session'),
    onSettled: () => {
      setCsrfToken(null)
      client.clear()
      client.setQueryData(KEY, null)
    },
  })
}

export const changeLanguage = (language: Language) => call<Session>('PATCH', '/session', { body: { language } })
