import type { RuleTypes, Setting } from '../../api/rules'
import type { Rule } from './tree'

/** The settings that belong to the rule as it stands: some are only asked for a value of another one. */
export function shownSettings(properties: Record<string, Setting>, rule: Rule): [string, Setting][] {
  return Object.entries(properties).filter(([, setting]) =>
    Object.entries(setting['x-show-if'] ?? {}).every(
      ([other, wanted]) => (rule[other] ?? properties[other]?.default) === wanted,
    ),
  )
}

/** Whether a rule compares a field: then its comparisons follow from the field's type. */
export const comparesField = (properties: Record<string, Setting>) =>
  Object.values(properties).some((setting) => setting['x-widget'] === 'operator')

/** A rule of a kind as it is first shown: what has no default and a fixed choice takes the first word. */
export function newRule(types: RuleTypes, code: string): Rule {
  const type = types.rules.find((found) => found.code === code)
  const rule: Rule = { rule: code }
  for (const name of type?.settings.required ?? []) {
    const setting = type!.settings.properties[name]!
    if (setting['x-widget'] === 'operator') rule[name] = types.operators[0]!.code
    else if (setting.enum) rule[name] = setting.enum[0]
  }
  return rule
}

/** The comparisons that a type of field knows. */
export function operatorsFor(types: RuleTypes, fieldType: string | undefined): string[] {
  return types.operators_by_type[fieldType ?? 'line'] ?? types.operators_by_type.line ?? []
}

export const shapeOf = (types: RuleTypes, operator: string | undefined) =>
  types.operators.find(({ code }) => code === operator)?.shape ?? 'one'

const LISTS = ['many', 'texts', 'groups', 'countries', 'weekdays', 'months']
const TEXTS = ['text', 'pattern']

/** A value that still fits when the operator changes; nothing where it does not. */
export function carriedValue(value: unknown, from: string, to: string): unknown {
  if (from === to || value === undefined) return value
  if (from === 'one' && to === 'many') return [value]
  if (from === 'text' && to === 'texts') return [value]
  if (Array.isArray(value) && ((from === 'many' && to === 'one') || (from === 'texts' && to === 'text')))
    return value[0]
  if (typeof value === 'string' && TEXTS.includes(to) && !LISTS.includes(from)) return value
  return undefined
}
