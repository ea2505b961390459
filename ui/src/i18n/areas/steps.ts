/** Texts of one area in both languages; the keys of both are the same (checked by the type). */
const en = {
  addBranch: 'Add a branch',
  branch: 'Name of the branch',
  percent: 'Percent',
  sum: 'Together: {{sum}} %',
  even: 'Share out evenly',
  everyDay: 'every day',
  workdays: 'workdays',
}

const ru: typeof en = {
  addBranch: 'Добавить ветвь',
  branch: 'Название ветви',
  percent: 'Процент',
  sum: 'Вместе: {{sum}} %',
  even: 'Поровну',
  everyDay: 'каждый день',
  workdays: 'по будням',
}

export const steps = { en, ru }
