import { account } from './account'
import { bulk } from './bulk'
import { databases } from './databases'
import { editing } from './editing'
import { imports } from './imports'
import { merging } from './merging'
import { people } from './people'
import { privacy } from './privacy'
import { resources } from './resources'
import { rules } from './rules'
import { segments } from './segments'
import { sources } from './sources'
import { steps } from './steps'
import { subscriptions } from './subscriptions'

const AREAS = {
  account,
  bulk,
  databases,
  editing,
  imports,
  merging,
  people,
  privacy,
  resources,
  rules,
  segments,
  sources,
  steps,
  subscriptions,
}

type Language = 'en' | 'ru'

/** The texts of all areas in one language: `t('area.<area>.<key>')`. */
export function areaTexts(language: Language) {
  return Object.fromEntries(Object.entries(AREAS).map(([name, texts]) => [name, texts[language]]))
}
