import { describe, expect, it } from "vitest";
import type { Graph } from "../api/client";
import { boxes, lines } from "./graph";

const inner = (id: number) => ({ id, label: `n${id}`, status: "succeeded" as const, fields: [{ field: "a", key: false, status: "succeeded" as const }] });
const node = (id: number, level: number) => ({
  id, object: `p.t${id}`, kind: "modeling", level, status: { fields: {}, nodes: {} }, nodes: [inner(id * 10)], more_up: false, more_down: false,
  table_kind: null, period: "day", owner: "", description: "", data_timestamp: "", scheduled_at: "", start: null, end: null,
});
const graph: Graph = {
  centre: 1, truncated: false, nodes: [node(1, 0), node(2, 1)],
  edges: [
    { source: 1, target: 2, from_nodes: [10], to_nodes: [20], fields: [], previous_period: true },
    { source: 9, target: 2, from_nodes: [90], to_nodes: [20], fields: [], previous_period: false },
  ],
};

describe("the graph's boxes and lines", () => {
  it("grow when a table is opened into its nodes and a node into its fields", () => {
    const [closed] = boxes(graph, new Set(), new Set());
    const [open] = boxes(graph, new Set([1]), new Set());
    const [deep] = boxes(graph, new Set([1]), new Set([10]));
    expect(closed!.height).toBeLessThan(open!.height);
    expect(open!.height).toBeLessThan(deep!.height);
  });
  it("leave out lines to what is not in the slice and dash the previous period", () => {
    const drawn = lines(graph, new Set([20]));
    expect(drawn).toHaveLength(1);
    expect(drawn[0]).toMatchObject({ dashed: true, highlighted: true });
  });
});
