import { describe, expect, it } from "vitest";
import { pressed, toQuery } from "./selection";
import { parseHistory, toHistoryFilters } from "./history";
import { dayBefore, unmetRules } from "./emergency";

describe("a selection", () => {
  it("by query says the filters in the selection language", () => {
    expect(toQuery({ q: "fct order", kind: ["modeling"], status: ["failed", "running"], data_from: "2026-11-18", data_to: "2026-11-18" })).toBe('q:"fct order" kind:modeling status:failed status:running data:2026-11-18');
    expect(toQuery({ data_from: "2026-11-17", data_to: "2026-11-18" })).toBe("data:2026-11-17..2026-11-18");
    expect(toQuery({ data_to: "2026-11-18", owner: ["o'brien", 'a "b'] })).toBe('owner:"o\'brien" owner:"a \\"b" data_to:2026-11-18');
  });
  it("of everything ends when a row is let go", () => {
    expect(pressed({ ids: [1, 2], all: true }, [1])).toEqual({ ids: [1], all: false });
    expect(pressed({ ids: [1], all: false }, [1, 2])).toEqual({ ids: [1, 2], all: false });
  });
});

it("history filters survive any URL and cover the whole last day", () => {
  const search = parseHistory({ verb: "stop", from: "2026-11-17", to: "2026-11-18", operation: "12", nonsense: 1, source: "" });
  expect(search).toEqual({ verb: "stop", from: "2026-11-17", to: "2026-11-18", operation: 12 });
  expect(toHistoryFilters(search)).toMatchObject({ verb: "stop", from: "2026-11-17T00:00:00Z", to: "2026-11-18T23:59:59Z" });
});

describe("the force rerun across projects", () => {
  const now = new Date("2026-11-20T23:30:00Z");
  const subject = { data_timestamp: "2026-11-19", statuses: ["succeeded", "failed"], project: "shop", timezone: "UTC" };
  it("counts days in the project's zone", () => {
    expect(dayBefore(now, 1, "UTC")).toBe("2026-11-19");
    expect(dayBefore(now, 1, "Asia/Shanghai")).toBe("2026-11-20");
  });
  it("names every rule that is not met", () => {
    expect(unmetRules(subject, now)).toEqual([]);
    expect(unmetRules({ ...subject, data_timestamp: "2026-11-01", statuses: ["running"], type: "backfill" }, now, false).map(({ rule }) => rule)).toEqual(["not_recurring", "data_timestamp", "status", "administrator"]);
  });
});
