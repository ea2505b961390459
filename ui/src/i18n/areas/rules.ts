/** Texts of one area in both languages; the keys of both are the same (checked by the type). */
const en = {
  more: 'More conditions',
  fields: 'Fields',
  system: 'Of the system',
  path: 'Path inside, such as key.sub_key',
  readAs: 'Read as',
  fromDay: 'from day',
  toDay: 'to day',
  days_one: 'day',
  days_other: 'days',
  pattern: 'Pattern, such as ^A.*[0-9]$',
  moreValues_one: 'and {{count}} more',
  moreValues_other: 'and {{count}} more',
  any: 'any',
  anyTime: 'any time',
  ownName: 'Name of the field',
  inWords: 'In words:',
  copy: 'Copy',
  copyFrom: 'Copy the rules of a segment',
  copyHint: 'Later changes of the segment do not follow.',
}

const ru: typeof en = {
  more: 'Ещё условия',
  fields: 'Поля',
  system: 'Системные',
  path: 'Путь внутри, например key.sub_key',
  readAs: 'Читать как',
  fromDay: 'с дня',
  toDay: 'по день',
  days_one: 'день',
  days_other: 'дня',
  pattern: 'Шаблон, например ^А.*[0-9]$',
  moreValues_one: 'и ещё {{count}}',
  moreValues_other: 'и ещё {{count}}',
  any: 'любой',
  anyTime: 'когда угодно',
  ownName: 'Имя поля',
  inWords: 'Словами:',
  copy: 'Скопировать',
  copyFrom: 'Скопировать условия сегмента',
  copyHint: 'Дальнейшие изменения сегмента сюда не попадут.',
}

/** Russian has forms of its own for few and many. */
const ruForms = {
  moreValues_few: 'и ещё {{count}}',
  moreValues_many: 'и ещё {{count}}',
  days_few: 'дня',
  days_many: 'дней',
}

export const rules = { en, ru: { ...ru, ...ruForms } }
