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
  return write(group, '', new Map()) ?? {}
}

/** Where each rule stands in the plain tree, as the server names it: `rules.all.0.not`. */
export function placesOf(group: Group): Map<TreeNode, string> {
  const places = new Map<TreeNode, string>()
  write(group, 'rules', places)
  return places
}

function write(node: TreeNode, place: string, places: Map<TreeNode, string>): Plain | null {
  if (isRule(node)) {
    places.set(node, place)
    return node
  }
  const kept = node.children.filter(hasRules)
  if (!kept.length) return null
  const inside = node.negated ? `${place}.not` : place
  const children = kept.map((child, index) =>
    write(child, kept.length === 1 ? inside : `${inside}.${node.kind}.${index}`, places),
  )
  const inner = kept.length === 1 ? children[0]! : { [node.kind]: children }
  return node.negated ? { not: inner } : inner
}

const hasRules = (node: TreeNode): boolean => isRule(node) || node.children.some(hasRules)

/** A tree with another one in it: as its next part, or in its place where it has no rules. */
export function joined(group: Group, added: Group): Group {
  if (!hasRules(group)) return added
  const lone = added.children.length === 1 && !added.negated ? added.children[0]! : added
  return { ...group, children: [...group.children, lone] }
}
