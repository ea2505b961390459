import { useTranslation } from 'react-i18next'
import { useNodeTypes, type Category, type NodeType } from '../api/scenarios'

export const CATEGORIES: Category[] = ['trigger', 'channel', 'operator', 'action']
const NO_TYPES: NodeType[] = []

/** All node types, in the user's language. */
export function usePaletteTypes(): NodeType[] {
  const { i18n } = useTranslation()
  return useNodeTypes(i18n.language).data ?? NO_TYPES
}

export const useNodeType = (type: string | undefined) => usePaletteTypes().find((found) => found.type === type)
