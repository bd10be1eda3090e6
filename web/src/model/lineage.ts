/** A lineage graph as a tree from one field outwards; what was shown before is named again but not opened again. */
import type { Lineage } from "../api/client";

export interface LineageBranch {
  path: string;
  node: Lineage["nodes"][number];
  how: "value" | "rows";
  repeated: boolean;
  children: LineageBranch[];
}

export function lineageTree(lineage: Lineage, root: string, direction: "production" | "consumption"): LineageBranch[] {
  const nodes = new Map(lineage.nodes.map((node) => [`${node.table}.${node.field}`, node]));
  const next = new Map<string, { name: string; how: "value" | "rows" }[]>();
  for (const edge of lineage.edges) {
    const [near, far] = direction === "production" ? [edge.to, edge.from] : [edge.from, edge.to];
    const known = next.get(near) ?? [];
    const same = known.find(({ name }) => name === far);
    if (!same) next.set(near, [...known, { name: far, how: edge.how }]);
    else if (edge.how === "value") same.how = "value";
  }
  const seen = new Set([root]);
  const branches = (name: string, path: string): LineageBranch[] =>
    (next.get(name) ?? [])
      .sort((a, b) => (a.how === b.how ? a.name.localeCompare(b.name) : a.how === "value" ? -1 : 1))
      .flatMap((edge) => {
        const node = nodes.get(edge.name);
        if (!node) return [];
        const repeated = seen.has(edge.name);
        seen.add(edge.name);
        const here = `${path}>${edge.name}`;
        return [{ path: here, node, how: edge.how, repeated, children: repeated ? [] : branches(edge.name, here) }];
      });
  return branches(root, root);
}
