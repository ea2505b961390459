import i18n from 'i18next'
import { initReactI18next, useTranslation } from 'react-i18next'
import { areaTexts } from './areas'
import { en } from './en'
import { ru } from './ru'
import { settingsRu } from './settingsRu'

export const LANGUAGES = ['en', 'ru'] as const
export type Language = (typeof LANGUAGES)[number]

const KEY = 'sojourn.language'

function first(): Language {
  const kept = localStorage.getItem(KEY) ?? navigator.language.slice(0, 2)
  return kept === 'ru' ? 'ru' : 'en'
}

void i18n.use(initReactI18next).init({
  lng: first(),
  fallbackLng: 'en',
  resources: {
    en: { translation: { ...en, area: areaTexts('en') } },
    ru: { translation: { ...ru, area: areaTexts('ru') }, settings: settingsRu },
  },
  interpolation: { escapeValue: false },
})
document.documentElement.lang = i18n.language
i18n.on('languageChanged', (language) => {
  document.documentElement.lang = language
  localStorage.setItem(KEY, language)
})

/** A setting's title or explanation: the node type sends it in English, which is the key of its translation. */
export const settingText = (text: string) =>
  i18n.t(text, { ns: 'settings', keySeparator: false, nsSeparator: false, defaultValue: text })

/** The language of the screen, for calls that answer with texts. */
export function useLanguage(): Language {
  const { i18n } = useTranslation()
  return i18n.language === 'ru' ? 'ru' : 'en'
}
