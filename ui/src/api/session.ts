import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { Language } from '../i18n'
import { answer, api, ApiError, setCsrfToken, type Shapes } from './client'

export type Session = Shapes['SessionShape']

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
      return await keepToken(answer(api.GET('/session')))
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
    mutationFn: (body: Shapes['LogIn']) => keepToken(answer(api.POST('/session', { body }))),
    onSuccess: (session) => client.setQueryData(KEY, session),
  })
}

export function useLogOut() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: () => answer(api.DELETE('/session')),
    onSettled: () => {
      setCsrfToken(null)
      client.setQueryData(KEY, null)
      client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== KEY[0] })
    },
  })
}

export const changeLanguage = (language: Language) => answer(api.PATCH('/session', { body: { language } }))
