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

/** A rule of a kind as it is first shown: what has no default and a fixed choice takes the first word. */
export function newRule(types: RuleTypes, code: string): Rule {
  const type = types.rules.find((found) => found.code === code)
  const rule: Rule = { rule: code }
  for (const name of type?.settings.required ?? []) {
    const setting = type!.settings.properties[name]!
    if (name === 'operator') rule[name] = 'eq'
    else if (setting.enum) rule[name] = setting.enum[0]
  }
  if (code === 'subscription') rule.state = 'confirmed'
  if (code === 'message') rule.scope = 'passage'
  return rule
}

/** The comparisons that a type of field knows. */
export function operatorsFor(types: RuleTypes, fieldType: string | undefined): string[] {
  return types.operators_by_type[fieldType ?? 'line'] ?? types.operators_by_type.line ?? []
}

export const shapeOf = (types: RuleTypes, operator: string | undefined) =>
  types.operators.find(({ code }) => code === operator)?.shape ?? 'one'

/** A value that still fits when the operator changes; nothing where it does not. */
export function carriedValue(value: unknown, from: string, to: string): unknown {
  if (from === to) return value
  const list = ['many', 'texts', 'groups', 'weekdays', 'months']
  if (list.includes(to) && from === 'one' && value !== undefined) return to === 'many' ? [value] : undefined
  if (to === 'one' && from === 'many' && Array.isArray(value)) return value[0]
  return undefined
}
