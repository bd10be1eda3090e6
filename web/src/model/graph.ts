/** The graph of instances as boxes with sizes: what the layout needs, nothing of how it is drawn. */
import type { Graph, GraphNode } from "../api/client";

/** A graph larger than this is not drawn; the page offers the list instead. */
export const DRAWN_AT_MOST = 2000;

export interface Box {
  id: string;
  width: number;
  height: number;
  node: GraphNode;
  expanded: boolean;
}

export interface Line {
  id: string;
  source: string;
  target: string;
  dashed: boolean;
  highlighted: boolean;
}

const WIDTH = 250;
const HEAD = 74;
const ROW = 24;
const FIELD = 20;

export function boxHeight(node: GraphNode, expanded: boolean, openNodes: ReadonlySet<number>): number {
  if (!expanded || node.nodes.length === 0) return HEAD;
  const fields = node.nodes.filter((inner) => openNodes.has(inner.id)).reduce((sum, inner) => sum + inner.fields.length, 0);
  return HEAD + 10 + node.nodes.length * ROW + fields * FIELD;
}

export function boxes(graph: Graph, expanded: ReadonlySet<number>, openNodes: ReadonlySet<number>): Box[] {
  return graph.nodes.map((node) => ({
    id: String(node.id),
    node,
    expanded: expanded.has(node.id),
    width: WIDTH,
    height: boxHeight(node, expanded.has(node.id), openNodes),
  }));
}

/** Lines between boxes; those that touch one of `chosen` node instances are highlighted. */
export function lines(graph: Graph, chosen: ReadonlySet<number>): Line[] {
  const ids = new Set(graph.nodes.map((node) => node.id));
  return graph.edges
    .filter((edge) => ids.has(edge.source) && ids.has(edge.target))
    .map((edge, index) => ({
      id: `${edge.source}-${edge.target}-${index}`,
      source: String(edge.source),
      target: String(edge.target),
      dashed: edge.previous_period ?? false,
      highlighted: [...edge.from_nodes, ...edge.to_nodes].some((id) => chosen.has(id)),
    }));
}
