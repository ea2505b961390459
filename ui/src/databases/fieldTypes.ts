/** Types that a field of one's own can have. */
export const TYPES = ['line', 'integer', 'float', 'boolean', 'date', 'enum', 'tags', 'ip', 'object', 'objects']
/** Types by which profiles can be found. */
export const MATCHING_TYPES = ['line', 'integer', 'enum', 'ip', 'tags']

const LATIN: Record<string, string> = {
  а: 'a', б: 'b', в: 'v', г: 'g', д: 'd', е: 'e', ё: 'e', ж: 'zh', з: 'z', и: 'i', й: 'y', к: 'k', л: 'l', м: 'm', н: 'n',
  о: 'o', п: 'p', р: 'r', с: 's', т: 't', у: 'u', ф: 'f', х: 'h', ц: 'ts', ч: 'ch', ш: 'sh', щ: 'sch', ъ: '', ы: 'y', ь: '',
  э: 'e', ю: 'yu', я: 'ya',
} // prettier-ignore

/** A name for the API made of a title: `Дата визита` → `data_vizita`. */
export function apiName(title: string): string {
  const latin = [...title.toLowerCase()].map((letter) => LATIN[letter] ?? letter).join('')
  return latin
    .normalize('NFD')
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^[^a-z]+|_+$/g, '')
    .slice(0, 63)
}
