import { useNodeTypes, type Category, type NodeType } from '../api/scenarios'
import { useLanguage } from '../i18n'

export const CATEGORIES: Category[] = ['trigger', 'channel', 'operator', 'action']
const NO_TYPES: NodeType[] = []

/** All node types, in the user's language. */
export function usePaletteTypes(): NodeType[] {
  return useNodeTypes(useLanguage()).data ?? NO_TYPES
}

export const useNodeType = (type: string | undefined) => usePaletteTypes().find((found) => found.type === type)
