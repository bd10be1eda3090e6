/** What a status looks like: an icon, words and a colour, total over all statuses, never colour alone. */
import type { FieldStatusWord, StatusWord } from "../api/client";

export type AnyStatus = StatusWord | FieldStatusWord;

export interface StatusLook {
  icon: string;
  /** name of the CSS variable that holds the colour in the theme of the day */
  colour: string;
  /** order in counts: what needs a look comes first */
  rank: number;
}

export const STATUS_LOOK: Record<AnyStatus, StatusLook> = {
  failed: { icon: "✕", colour: "--status-failed", rank: 0 },
  running: { icon: "▶", colour: "--status-running", rank: 1 },
  waiting: { icon: "◷", colour: "--status-waiting", rank: 2 },
  waiting_resources: { icon: "⧖", colour: "--status-waiting", rank: 3 },
  throttled: { icon: "⧗", colour: "--status-waiting", rank: 4 },
  waiting_time: { icon: "◷", colour: "--status-waiting", rank: 5 },
  not_running: { icon: "○", colour: "--status-idle", rank: 6 },
  succeeded: { icon: "✓", colour: "--status-succeeded", rank: 7 },
};

export const NODE_STATUSES: readonly StatusWord[] = [
  "failed", "running", "waiting_resources", "throttled", "waiting_time", "not_running", "succeeded",
];

/** Counts as pairs, what needs a look first, zeros left out. */
export function orderedCounts(counts: Record<string, number>): [AnyStatus, number][] {
  return (Object.entries(counts) as [AnyStatus, number][])
    .filter(([word, count]) => count > 0 && word in STATUS_LOOK)
    .sort(([a], [b]) => STATUS_LOOK[a].rank - STATUS_LOOK[b].rank);
}

/** The one status that stands for many: the first that needs a look. */
export function leadingStatus(counts: Record<string, number>): AnyStatus {
  return orderedCounts(counts)[0]?.[0] ?? "not_running";
}

/** True when something of it may still change by itself. */
export function unfinished(counts: Record<string, number>): boolean {
  return orderedCounts(counts).some(([word]) => word !== "succeeded" && word !== "failed");
}
