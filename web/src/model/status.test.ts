import { describe, expect, it } from "vitest";
import { leadingStatus, orderedCounts, unfinished } from "./status";

describe("counts of statuses", () => {
  it("shows what failed before what succeeded and leaves zeros out", () => {
    expect(orderedCounts({ succeeded: 3, failed: 1, running: 0 })).toEqual([["failed", 1], ["succeeded", 3]]);
  });
  it("is led by the status that needs a look", () => {
    expect(leadingStatus({ succeeded: 9, running: 1 })).toBe("running");
    expect(leadingStatus({})).toBe("not_running");
  });
  it("is finished when everything succeeded or failed", () => {
    expect(unfinished({ succeeded: 2, failed: 1 })).toBe(false);
    expect(unfinished({ succeeded: 2, waiting_time: 1 })).toBe(true);
  });
});
