/** What is selected on a list: rows by id, or everything a filter finds, in the selection language. */
import type { InstanceFilters } from "../api/queries";

const quoted = (value: string) => (/[\s"'\\]/.test(value) ? `"${value.replace(/(["\\])/g, "\\$1")}"` : value);

/** The filters of the list in the selection language: space = and, same key again = or. */
export function toQuery(filters: InstanceFilters): string {
  const parts: string[] = [];
  const { data_from: from, data_to: to } = filters;
  for (const key of ["q", "kind", "table_kind", "status", "project", "owner", "priority", "period", "tag"] as const) {
    const value = filters[key];
    for (const one of Array.isArray(value) ? value : value ? [value] : []) parts.push(`${key}:${quoted(String(one))}`);
  }
  if (from && to) parts.push(from === to ? `data:${from}` : `data:${from}..${to}`);
  else if (from) parts.push(`data_from:${from}`);
  else if (to) parts.push(`data_to:${to}`);
  return parts.join(" ");
}

export interface Selection {
  ids: readonly number[];
  /** everything the filter finds, also what is not loaded */
  all: boolean;
}

export const NOTHING: Selection = { ids: [], all: false };

/** The selection after the list changed under it: what is selected stays, also what scrolled away or moved. */
export function pressed(before: Selection, ids: readonly number[]): Selection {
  return before.all && ids.length >= before.ids.length ? { ids, all: true } : { ids, all: false };
}
