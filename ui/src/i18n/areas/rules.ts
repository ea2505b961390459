/** Texts of one area in both languages; the keys of both are the same (checked by the type). */
const en = {
  more: 'More conditions',
  fields: 'Fields',
  system: 'Of the system',
  path: 'Path inside, such as key.sub_key',
  readAs: 'Read as',
  pathTypes: { line: 'text', float: 'number', boolean: 'yes or no', date: 'date' },
  fromDay: 'from day',
  toDay: 'to day',
  moreValues_one: 'and {{count}} more',
  moreValues_other: 'and {{count}} more',
  any: 'any',
}

const ru: typeof en = {
  more: 'Ещё условия',
  fields: 'Поля',
  system: 'Системные',
  path: 'Путь внутри, например key.sub_key',
  readAs: 'Читать как',
  pathTypes: { line: 'текст', float: 'число', boolean: 'да или нет', date: 'дата' },
  fromDay: 'с дня',
  toDay: 'по день',
  moreValues_one: 'и ещё {{count}}',
  moreValues_other: 'и ещё {{count}}',
  any: 'любой',
}

/** Russian has forms of its own for few and many. */
const ruForms = { moreValues_few: 'и ещё {{count}}', moreValues_many: 'и ещё {{count}}' }

export const rules = { en, ru: { ...ru, ...ruForms } }
