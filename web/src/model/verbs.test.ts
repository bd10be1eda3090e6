import { describe, expect, it } from "vitest";
import { blocked, candidatesAsked, eligible, firstChoices, inOneHour, missing, switchVerb, toAsked, tomorrowMorning, VERBS, type Ask } from "./verbs";

const ask = (verb: Ask["verb"], more: Partial<Ask> = {}): Ask => ({ verb, instances: [7], ...more });

describe("which verb is offered", () => {
  it("stop takes what waits or runs, never what is finished or has not begun", () => {
    expect(["succeeded", "failed", "not_running"].map((status) => eligible("stop", [status]))).toEqual([false, false, false]);
    expect(["waiting_time", "throttled", "waiting_resources", "running"].every((status) => eligible("stop", [status]))).toBe(true);
  });
  it("one node that satisfies the verb is enough", () => {
    expect(eligible("rerun", ["running", "failed"])).toBe(true);
    expect(eligible("rerun", ["running"])).toBe(false);
  });
  it("only what is paused is resumed; force takes any status", () => {
    expect(eligible("resume", ["not_running"], [])).toBe(false);
    expect(eligible("resume", ["not_running"], ["paused"])).toBe(true);
    expect(eligible("force_rerun", ["running"])).toBe(true);
  });
  it("of a selection that is not loaded nothing is known: the server decides", () => {
    expect(VERBS.filter((verb) => !eligible(verb, []))).toEqual([]);
  });
});

describe("the first choices", () => {
  it("are the safest of each verb", () => {
    expect(firstChoices(ask("rerun_downstream")).options).toEqual({ start_mode: "normal", range: "all_failed", cross_day: true });
    expect(firstChoices(ask("force_rerun_downstream"))).toMatchObject({ quick: true, fields: null, options: { range: "all" } });
    expect(firstChoices(ask("set_success")).options.set).toBe("failed");
  });
  it("of some fields are custom", () => {
    expect(firstChoices(ask("force_rerun_downstream", { fields: ["gmv"] }))).toMatchObject({ quick: false, fields: ["gmv"] });
    expect(firstChoices(ask("set_success", { fields: ["gmv"] })).options.set).toBe("custom");
  });
  it("keep fields and start mode when the verb is switched", () => {
    const before = firstChoices(ask("rerun_downstream", { fields: ["gmv"], options: { start_mode: "dry_run", cross_day: false } }));
    expect(switchVerb(before, "force_rerun_downstream")).toMatchObject({ verb: "force_rerun_downstream", fields: ["gmv"], options: { start_mode: "dry_run", cross_day: false, range: "all" } });
  });
});

describe("what is still missing", () => {
  it("is told in one word", () => {
    expect(missing(firstChoices(ask("set_priority")))).toBe("priority");
    expect(missing(firstChoices(ask("remove_upstream")))).toBe("upstream");
    expect(missing({ ...firstChoices(ask("rerun")), fields: [] })).toBe("fields");
    expect(missing(firstChoices(ask("rerun_downstream", { options: { range: "custom" } })))).toBe("descendants");
    expect(missing(firstChoices(ask("pause", { options: { until: "" } })))).toBe("until");
    expect(missing(firstChoices(ask("rerun")))).toBeNull();
  });
});

describe("the question to the server", () => {
  it("holds only what the verb knows", () => {
    const stop = firstChoices(ask("stop", { options: { priority: "high", set: "both" } }));
    expect(toAsked(ask("stop"), stop)).toEqual({ verb: "stop", scope: { instances: [7] }, fields: null, options: {} });
  });
  it("of a quick force rerun downstream is the whole table with everything below", () => {
    const choices = { ...firstChoices(ask("force_rerun_downstream")), fields: ["gmv"] };
    expect(toAsked(ask("force_rerun_downstream"), choices)).toMatchObject({ fields: null, options: { range: "all", start_mode: "normal", cross_day: true } });
  });
  it("sends picks only with a custom range", () => {
    const pick = [{ instance: 9, fields: ["a"] }];
    const custom = firstChoices(ask("rerun_downstream", { options: { range: "custom", pick } }));
    expect(toAsked(ask("rerun_downstream"), custom).options).toMatchObject({ range: "custom", pick });
    expect(candidatesAsked(ask("rerun_downstream"), custom).options).not.toHaveProperty("pick");
    expect(candidatesAsked(ask("rerun_downstream"), custom).options).toMatchObject({ range: "all_final" });
  });
  it("can be a query instead of instances", () => {
    expect(toAsked({ verb: "stop", query: "status:running" }, firstChoices({ verb: "stop" })).scope).toEqual({ query: "status:running" });
  });
});

describe("the button", () => {
  const plan = { steps: [1], refused: "", reason_required: false };
  it("waits for plan, required fields and reason, in this order", () => {
    expect(blocked(undefined, "", true)).toBe("planning");
    expect(blocked({ ...plan, refused: "no" }, "", true)).toBe("refused");
    expect(blocked({ ...plan, steps: [] }, "", true)).toBe("nothing");
    expect(blocked(plan, "", false)).toBe("required");
    expect(blocked({ ...plan, reason_required: true }, "  ", true)).toBe("reason");
    expect(blocked(plan, "", true)).toBeNull();
  });
});

it("pauses end in an hour or tomorrow at eight", () => {
  const now = new Date(2026, 10, 30, 23, 15, 30);
  expect(inOneHour(now).getTime() - now.getTime()).toBe(3_600_000);
  expect(tomorrowMorning(now)).toEqual(new Date(2026, 11, 1, 8, 0, 0));
});
