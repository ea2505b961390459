/** The rule tree of documents: `{all: […]}`, `{any: […]}`, `{not: …}` around rules such as `{rule: "field", …}`. */
export type Rule = { rule: string } & Record<string, unknown>
export type Group = { kind: 'all' | 'any'; negated: boolean; children: TreeNode[] }
export type TreeNode = Rule | Group

export const isRule = (node: TreeNode): node is Rule => 'rule' in node

const EMPTY: Group = { kind: 'all', negated: false, children: [] }

type Plain = Record<string, unknown>

/** A tree as the editor holds it: the top is always a group, and *not* is a mark of a group. */
export function readTree(tree: unknown): Group {
  if (!tree || typeof tree !== 'object' || Object.keys(tree).length === 0) return EMPTY
  const node = read(tree as Plain)
  return isRule(node) ? { ...EMPTY, children: [node] } : node
}

function read(tree: Plain): TreeNode {
  if ('rule' in tree) return tree as Rule
  if ('not' in tree) {
    const inner = read(tree.not as Plain)
    if (isRule(inner) || inner.negated) return { kind: 'all', negated: true, children: [inner] }
    return { ...inner, negated: true }
  }
  const kind = 'any' in tree ? 'any' : 'all'
  return { kind, negated: false, children: ((tree[kind] as Plain[] | undefined) ?? []).map(read) }
}

/** The plain tree; groups without rules fall away, and a lone rule at the top needs no group. */
export function writeTree(group: Group): Plain {
  return write(group) ?? {}
}

function write(node: TreeNode): Plain | null {
  if (isRule(node)) return node
  const children = node.children.map(write).filter((child) => child !== null)
  if (!children.length) return null
  const inner = children.length === 1 ? children[0]! : { [node.kind]: children }
  return node.negated ? { not: inner } : inner
}
