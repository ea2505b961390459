import { useDebouncedValue } from '@mantine/hooks'
import { useMemo } from 'react'
import { problemText } from '../../api/errorText'
import { useRulesDescription } from '../../api/rules'
import { useLanguage } from '../../i18n'
import type { FormContext } from '../SchemaForm'
import { placesOf, writeTree, type Group, type TreeNode } from './tree'

const SETTLED_MS = 400
type Told = { text: string | undefined; problems: Map<TreeNode, string> }

/** What the server says of the rules a moment after the last change: in words, or what is wrong with which of them. */
export function useTold(tree: Group, context: FormContext): Told {
  const [settled] = useDebouncedValue(tree, SETTLED_MS)
  const plain = useMemo(() => writeTree(settled), [settled])
  const { data, isPlaceholderData } = useRulesDescription(context.database, plain, useLanguage())
  return useMemo(() => {
    const problems = new Map<TreeNode, string>()
    if (data && !isPlaceholderData)
      for (const [node, place] of placesOf(settled)) {
        const wrong = data.problems.find((one) => one.place === place || one.place?.startsWith(`${place}.`))
        if (wrong) problems.set(node, problemText({ ...wrong, place: wrong.place ?? undefined }))
      }
    const empty = Object.keys(plain).length === 0
    return { text: empty ? undefined : (data?.text ?? undefined), problems }
  }, [data, isPlaceholderData, settled, plain])
}
