/** The rules of the force rerun across projects that can be told from what is on the screen. */
export interface EmergencySubject {
  data_timestamp: string;
  type?: string;
  statuses: readonly string[];
  project: string;
  timezone?: string;
}

export type Unmet =
  | { rule: "not_recurring" }
  | { rule: "data_timestamp"; first: string; second: string; is: string }
  | { rule: "status"; is: string }
  | { rule: "administrator"; project: string };

/** YYYY-MM-DD of `now` in the zone, `days` earlier. */
export function dayBefore(now: Date, days: number, zone = "UTC"): string {
  const today = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" }).format(now);
  const date = new Date(`${today}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() - days);
  return date.toISOString().slice(0, 10);
}

/** Every rule that is not met, in the order they are shown; `administers` undefined: not known here, the server will say. */
export function unmetRules(subject: EmergencySubject, now: Date, administers?: boolean): Unmet[] {
  const found: Unmet[] = [];
  if (subject.type && subject.type !== "recurring") found.push({ rule: "not_recurring" });
  const first = dayBefore(now, 1, subject.timezone);
  const second = dayBefore(now, 2, subject.timezone);
  if (subject.data_timestamp !== first && subject.data_timestamp !== second) found.push({ rule: "data_timestamp", first, second, is: subject.data_timestamp });
  const open = subject.statuses.find((status) => status !== "succeeded" && status !== "failed");
  if (open) found.push({ rule: "status", is: open });
  if (administers === false) found.push({ rule: "administrator", project: subject.project });
  return found;
}
