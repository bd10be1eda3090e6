import { describe, expect, it } from "vitest";
import { showDuration, showInstant, zoneName } from "./time";

describe("times", () => {
  it("are shown in the zone asked for, with its name", () => {
    expect(showInstant("2026-11-18T01:30:00Z", "Asia/Shanghai")).toContain("2026-11-18 09:30:00");
  });
  it("take the project's zone unless told otherwise", () => {
    expect(zoneName("project", "Europe/Berlin")).toBe("Europe/Berlin");
    expect(zoneName("utc", "Europe/Berlin")).toBe("UTC");
  });
  it("grow from fractions of a second to hours", () => {
    expect([0.04, 4.23, 61, 3900].map(showDuration)).toEqual(["0.04 s", "4.2 s", "1 min 01 s", "1 h 05 min"]);
  });
});
