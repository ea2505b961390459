import i18n from 'i18next'
import { ApiError, type Problem } from './client'

/** A problem in the user's language; where we have no words of our own, the server's sentence. */
export const problemText = (problem: Problem) => i18n.t(`problems.${problem.code}`, { defaultValue: problem.message })

export function errorText(error: unknown): string {
  if (!(error instanceof ApiError)) return i18n.t('problems.unexpected')
  return problemText({ code: error.code, message: error.message, place: error.place })
}
