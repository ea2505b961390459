import { keepPreviousData, useQuery } from '@tanstack/react-query'
import type { Language } from '../i18n'
import { answer, api, type Shapes } from './client'

export type RuleTypes = Omit<Shapes['RuleTypes'], 'rules'> & { rules: RuleType[] }
export type RulesDescription = Shapes['RulesDescription']
export type RuleType = Omit<Shapes['RuleTypeShape'], 'settings'> & {
  settings: { properties: Record<string, Setting>; required: string[] }
}
/** One setting of a rule, as JSON Schema with hints of how it is drawn. */
export type Setting = {
  title: string
  type?: string
  format?: string
  enum?: string[]
  default?: unknown
  minimum?: number
  maximum?: number
  items?: { type?: string; enum?: string[] }
  'x-words'?: Record<string, string>
  'x-source'?: string
  'x-widget'?: string
  'x-show-if'?: Record<string, string>
  'x-advanced'?: boolean
}

/** All rules and operators, in the language of the screen. */
export function useRuleTypes(language: Language) {
  return useQuery({
    queryKey: ['rule-types', language],
    queryFn: async ({ signal }) =>
      (await answer(api.GET('/rule-types', { params: { query: { language } }, signal }))) as RuleTypes,
    staleTime: Infinity,
  })
}

/** A tree in words, and what is wrong with it. The old answer stays until the new one is there. */
export function useRulesDescription(database: number | string, rules: Record<string, unknown>, language: Language) {
  return useQuery({
    queryKey: ['rules-description', database, rules, language],
    queryFn: ({ signal }) =>
      answer(api.POST('/rule-types/describe', { params: { query: { language } }, body: { database, rules }, signal })),
    enabled: Object.keys(rules).length > 0,
    placeholderData: keepPreviousData,
    retry: false,
  })
}
