/** The operation history's filters as they stand in the URL. */
import type { HistoryFilters } from "../api/operations";

export interface HistorySearch extends HistoryFilters {
  /** the operation whose detail is open */
  operation?: number;
}

export const SOURCES = ["ui", "api", "cli", "agent"] as const;
const KEYS = ["object", "verb", "operator", "source", "from", "to"] as const;

export function parseHistory(raw: Record<string, unknown>): HistorySearch {
  const search: HistorySearch = {};
  for (const key of KEYS) {
    const value = raw[key];
    if ((typeof value === "string" && value) || typeof value === "number") search[key] = String(value);
  }
  const operation = Number(raw.operation);
  if (Number.isInteger(operation) && operation > 0) search.operation = operation;
  return search;
}

/** Days of the URL as instants for the server: the whole of the last day counts. */
export function toHistoryFilters(search: HistorySearch): HistoryFilters {
  const { object, verb, operator, source, from, to } = search;
  return { object, verb, operator, source, from: from && `${from}T00:00:00Z`, to: to && `${to}T23:59:59Z` };
}

export const historyFiltered = (search: HistorySearch) => KEYS.some((key) => search[key] !== undefined);
