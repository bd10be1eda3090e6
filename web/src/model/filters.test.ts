import { describe, expect, it } from "vitest";
import { parseSearch, pills, toFilters, withoutPill } from "./filters";

describe("filters in the URL", () => {
  it("survive whatever someone typed into the URL", () => {
    expect(parseSearch({ kind: "nonsense", status: "failed", q: 17, other: 1 })).toEqual({ status: ["failed"], q: "17" });
  });
  it("stand for logical tables of the newest day unless told otherwise", () => {
    expect(toFilters({}, "2026-11-18")).toMatchObject({ kind: ["modeling"], data_from: "2026-11-18", data_to: "2026-11-18" });
    expect(toFilters({ kind: "all", from: "any" }, "2026-11-18")).toMatchObject({ kind: undefined, data_from: undefined });
    expect(toFilters({ from: "2026-11-01" }, "2026-11-18")).toMatchObject({ data_from: "2026-11-01", data_to: undefined });
  });
  it("come off one by one", () => {
    const search = { q: "dim", status: ["failed", "running"] };
    expect(pills(search)).toHaveLength(3);
    expect(withoutPill(search, { key: "status", value: "failed" })).toEqual({ q: "dim", status: ["running"] });
    expect(withoutPill(search, { key: "q", value: "dim" }).q).toBeUndefined();
  });
});
