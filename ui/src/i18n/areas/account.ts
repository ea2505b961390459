/** Texts of one area in both languages; the keys of both are the same (checked by the type). */
const en = {
  title: 'Account',
  subtitle: 'What holds for everybody in this installation.',
  name: 'Name',
  zone: 'Time zone',
  zoneHint: 'Rules about days (“today”, “in the last 7 days”, anniversaries) and daily schedules follow it.',
  language: 'Language of new users',
  languages: { en: 'English', ru: 'Russian' },
  saved: 'The account is changed',
}

const ru: typeof en = {
  title: 'Аккаунт',
  subtitle: 'То, что действует для всех в этой установке.',
  name: 'Название',
  zone: 'Часовой пояс',
  zoneHint: 'По нему считаются правила о днях («сегодня», «за последние 7 дней», годовщины) и ежедневные расписания.',
  language: 'Язык новых пользователей',
  languages: { en: 'Английский', ru: 'Русский' },
  saved: 'Аккаунт изменён',
}

export const account = { en, ru }
