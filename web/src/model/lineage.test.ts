import { expect, it } from "vitest";
import { lineageTree } from "./lineage";

const node = (name: string) => ({ table: name.split(".")[0]!, field: name.split(".")[1]!, node: "", kind: "field" as const, status: null, owner: "", project: "" });
const lineage = {
  nodes: ["a.x", "b.y", "c.z"].map(node),
  edges: [
    { from: "b.y", to: "a.x", how: "rows" as const }, { from: "b.y", to: "a.x", how: "value" as const },
    { from: "c.z", to: "b.y", how: "value" as const }, { from: "c.z", to: "a.x", how: "rows" as const },
  ],
};

it("a lineage tree goes outwards, prefers values, and opens nothing twice", () => {
  const tree = lineageTree(lineage, "a.x", "production");
  expect(tree.map(({ node: { table }, how }) => [table, how])).toEqual([["b", "value"], ["c", "rows"]]);
  expect(tree[0]!.children[0]!.node.table).toBe("c");
  expect(tree[1]!.repeated).toBe(true);
  expect(lineageTree(lineage, "c.z", "consumption").map((branch) => branch.node.table)).toEqual(["b", "a"]);
});
