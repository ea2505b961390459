/** Why rows are refused, in the language of the user. The server tells reasons as English sentences. */
import { useTranslation } from 'react-i18next'
import { readableFormat } from './dateFormats'

const SENTENCES: [RegExp, string][] = [
  [/^An e-mail address is needed\.$/, 'email'],
  [/^A phone number in international form is needed/, 'phone'],
  [/^A whole number is needed\.$/, 'whole'],
  [/^A (?:finite )?number is needed\.$/, 'number'],
  [/^The (?:number is too large|sum is larger than the field can hold)\.$/, 'large'],
  [/^A date is needed, of the form (?<detail>.*)\.$/, 'dateOf'],
  [/^A date is needed/, 'date'],
  [/^Yes or no is needed/, 'boolean'],
  [/^One of the options is needed: (?<detail>.*)\.$/, 'option'],
  [/^An IPv4 address is needed\.$/, 'ip'],
  [/^A list of at most \d+ tags is needed\.$|^The quotes of these tags/, 'tags'],
  [/^An object is needed\.$/, 'object'],
  [/^A list of objects is needed\.$/, 'objects'],
  [/^A JSON text is needed\.$|^The line is no JSON\.$/, 'json'],
  [/^“male” or “female” is needed\.$/, 'sex'],
  [/^A status is needed/, 'status'],
  [/^What the profile is to be found by is missing\.$/, 'key'],
  [/^A new profile needs the field “(?<detail>.*)”\.$/, 'required'],
  [/^Another profile has this e-mail address\.$/, 'taken'],
  [/^The line has (?<detail>\d+) cells instead of (?<other>\d+)\.$/, 'width'],
  [/^A quoted cell is not closed/, 'quotes'],
  [/^The line is not valid (?<detail>.*)\.$/, 'encoding'],
  [/holds (?:the character NUL|characters that do not exist)\.$/, 'characters'],
  [/^The (?:line|text) is longer than/, 'long'],
]

/** Gives the words of a reason; an unknown one is told as it came. */
export function useReason(): (sentence: string) => string {
  const { t } = useTranslation()
  return (sentence) => {
    for (const [pattern, key] of SENTENCES) {
      const found = pattern.exec(sentence)
      if (found) {
        const detail = found.groups?.detail
        return t(`area.imports.reasons.${key}`, {
          detail: key === 'dateOf' && detail ? readableFormat(detail) : detail,
          other: found.groups?.other,
          interpolation: { escapeValue: false },
        })
      }
    }
    return sentence
  }
}
