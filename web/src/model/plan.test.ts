import { describe, expect, it } from "vitest";
import type { FieldChoice, Plan, Required, Step } from "../api/operations";
import { candidates, filterChoices, filterSteps, groupRequired, insteadOf, picksOf, stepFacets, tickedOf, toggleField } from "./plan";

const step = (more: Partial<Step>): Step => ({
  node_instance: 1, instance: 1, table: "shop.fct_order", node: "shop.fct_order/n1", label: "n1", fields: ["gmv"], data_timestamp: "2026-11-18", action: "run", from: "succeeded", to: "not_running", level: 0, ...more,
});
const required = (field: string, more: Partial<Required> = {}): Required => ({ table: "shop.fct_order", data_timestamp: "2026-11-18", instance: 1, field, cause: "SAME_NODE", because: `shares node n1 with ${field}`, ...more });

describe("required fields", () => {
  it("are grouped by table and day, each once, with all reasons", () => {
    const groups = groupRequired([
      required("cost", { table: "shop.b", instance: 3 }), required("gmv"), required("gmv", { because: "its input changed" }), required("gmv", { instance: 2, data_timestamp: "2026-11-17" }),
    ]);
    expect(groups.map((group) => [group.table, group.data_timestamp, group.items.length])).toEqual([["shop.fct_order", "2026-11-17", 1], ["shop.b", "2026-11-18", 1], ["shop.fct_order", "2026-11-18", 1]]);
    expect(groups[2]!.items[0]!.because).toBe("shares node n1 with gmv; its input changed");
  });
});

describe("steps", () => {
  const plan = {
    steps: [
      step({ node_instance: 5, instance: 5, table: "mart.sales", level: 2, from: "failed", fields: ["total"] }),
      step({ node_instance: 4, instance: 4, table: "mart.sales", level: 1, fields: ["cost"] }),
      step({ node_instance: 1 }),
    ],
    required: [required("total", { table: "mart.sales", instance: 5 })],
  };
  it("are shown nearest first, required before all others when asked for", () => {
    expect(filterSteps(plan, {}).map((one) => one.node_instance)).toEqual([1, 4, 5]);
    expect(filterSteps(plan, { requiredFirst: true }).map((one) => one.node_instance)).toEqual([5, 1, 4]);
  });
  it("are filtered by name, field, id, status, project, owner and level", () => {
    const found = (filter: Parameters<typeof filterSteps>[1]) => filterSteps(plan, filter, new Map([["mart.sales", "ann"]])).map((one) => one.node_instance);
    expect(found({ text: "SALES" })).toEqual([4, 5]);
    expect(found({ text: "gm" })).toEqual([1]);
    expect(found({ text: "5" })).toEqual([5]);
    expect(found({ status: "failed" })).toEqual([5]);
    expect(found({ project: "shop" })).toEqual([1]);
    expect(found({ owner: "ann", level: 1 })).toEqual([4]);
  });
  it("say what can be filtered", () => {
    expect(stepFacets(plan.steps)).toEqual({ statuses: ["failed", "succeeded"], projects: ["mart", "shop"], levels: [0, 1, 2] });
  });
});

describe("descendants", () => {
  const all = candidates({
    steps: [step({}), step({ node_instance: 4, instance: 4, table: "mart.a", level: 1, fields: ["x", "y"] }), step({ node_instance: 6, instance: 6, table: "mart.script", level: 2, fields: [] })],
    required: [],
  });
  it("leave out the start and come by level", () => expect(all.map((one) => one.instance)).toEqual([4, 6]));
  it("are picked by field, scripts as a whole, and back again", () => {
    expect(picksOf(["i4", "i6"], all)).toEqual([{ instance: 4, fields: ["x", "y"] }, { instance: 6, fields: null }]);
    expect(picksOf(["f4.y"], all)).toEqual([{ instance: 4, fields: ["y"] }]);
    expect(tickedOf([{ instance: 4, fields: ["y"] }], all)).toEqual(["f4.y"]);
    expect(tickedOf([{ instance: 4, fields: ["x", "y"] }, { instance: 6, fields: null }], all)).toEqual(["i4", "f4.x", "f4.y", "i6"]);
  });
});

describe("the picker", () => {
  const choice = (field: string, state: FieldChoice["state"], group: string[] = []): FieldChoice => ({ field, key: false, state, group, cause: "", because: "", status: "succeeded" });
  it("moves a group as one and never what is locked", () => {
    expect(toggleField(["a"], choice("b", "group", ["c"]))).toEqual(["a", "b", "c"]);
    expect(toggleField(["a", "b", "c"], choice("c", "group", ["b"]))).toEqual(["a"]);
    expect(toggleField(["a"], choice("b", "required"))).toEqual(["a"]);
    expect(toggleField(["a"], choice("b", "disabled"))).toEqual(["a"]);
  });
  it("lets go of a chosen field that others require too", () => expect(toggleField(["a"], choice("a", "required"))).toEqual([]));
  it("shows required first and filters by name and status", () => {
    const all = [choice("b", "selectable"), choice("a", "required"), { ...choice("ab", "selectable"), status: "failed" }];
    expect(filterChoices(all, { requiredFirst: true }).map(({ field }) => field)).toEqual(["a", "b", "ab"]);
    expect(filterChoices(all, { text: "A", status: "failed" }).map(({ field }) => field)).toEqual(["ab"]);
  });
});

it("says which verb would take most of what was left out", () => {
  const skipped = ["force_rerun", null, "force_rerun", "force_rerun_downstream"].map((instead) => ({ object: "a", code: "status", message: "", instead }));
  expect(insteadOf({ skipped } as unknown as Plan)).toEqual({ verb: "force_rerun", count: 2 });
});
