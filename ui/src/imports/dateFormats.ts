/** Formats of dates that can be chosen, in the language of the server. */
export const DATE_FORMATS = [
  '%Y-%m-%d',
  '%d.%m.%Y',
  '%d.%m.%Y %H:%M',
  '%d.%m.%Y %H:%M:%S',
  '%d/%m/%Y',
  '%d/%m/%Y %H:%M',
  '%m/%d/%Y',
  '%m/%d/%Y %H:%M',
  '%Y/%m/%d',
  '%d-%m-%Y',
  '%m-%d-%Y',
  '%d.%m.%y',
  '%d/%m/%y',
  '%m/%d/%y',
  '%Y%m%d',
  '%d %b %Y',
  '%d %B %Y',
  '%b %d, %Y',
  '%B %d, %Y',
]

const WORDS: Record<string, string> = {
  '%d': 'DD',
  '%m': 'MM',
  '%Y': 'YYYY',
  '%y': 'YY',
  '%H': 'hh',
  '%M': 'mm',
  '%S': 'ss',
  '%b': 'Mon',
  '%B': 'Month',
}

/** `%d.%m.%Y` as people write it: DD.MM.YYYY. */
export const readableFormat = (format: string) => format.replace(/%[dmYyHMSbB]/g, (part) => WORDS[part]!)
