/** The instance list's filters as they stand in the URL: short, readable, and nothing that is the default. */
import type { InstanceFilters } from "../api/queries";

export type Kind = "modeling" | "integration" | "computing";

export const KINDS: readonly Kind[] = ["integration", "computing", "modeling"];

export interface ListSearch {
  kind?: Kind | "all";
  q?: string;
  status?: string[];
  project?: string[];
  owner?: string[];
  priority?: string[];
  period?: string[];
  table_kind?: string[];
  tag?: string[];
  from?: string;
  to?: string;
  sort?: string;
}

const LISTS = ["status", "project", "owner", "priority", "period", "table_kind", "tag"] as const;
export type ListKey = (typeof LISTS)[number];

const words = (value: unknown): string[] | undefined => {
  const found = (Array.isArray(value) ? value : typeof value === "string" && value ? [value] : []).map(String);
  return found.length ? found : undefined;
};

const word = (value: unknown): string | undefined =>
  typeof value === "string" && value ? value : typeof value === "number" ? String(value) : undefined;

/** Whatever stands in the URL as a search; unknown words are dropped, never an error. */
export function parseSearch(raw: Record<string, unknown>): ListSearch {
  const search: ListSearch = { q: word(raw.q), from: word(raw.from), to: word(raw.to), sort: word(raw.sort) };
  const kind = word(raw.kind);
  if (kind === "all" || KINDS.includes(kind as Kind)) search.kind = kind as Kind | "all";
  for (const key of LISTS) search[key] = words(raw[key]);
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined)) as ListSearch;
}

/** The server's filters; without a day the newest data timestamp known stands in. */
export function toFilters(search: ListSearch, newest: string | null | undefined): InstanceFilters {
  const from = search.from ?? newest ?? undefined;
  const to = search.to ?? (search.from ? undefined : (newest ?? undefined));
  return {
    q: search.q,
    kind: search.kind === "all" ? undefined : [search.kind ?? "modeling"],
    status: search.status,
    project: search.project,
    owner: search.owner,
    priority: search.priority,
    period: search.period,
    table_kind: search.table_kind,
    tag: search.tag,
    data_from: from === "any" ? undefined : from,
    data_to: to === "any" || from === "any" ? undefined : to,
    sort: search.sort ?? "-scheduled",
  };
}

export interface Pill {
  key: ListKey | "q" | "from";
  value: string;
}

/** The active filters, one pill each. */
export function pills(search: ListSearch): Pill[] {
  const found: Pill[] = search.q ? [{ key: "q", value: search.q }] : [];
  for (const key of LISTS) for (const value of search[key] ?? []) found.push({ key, value });
  return found;
}

export function withoutPill(search: ListSearch, pill: Pill): ListSearch {
  if (pill.key === "q" || pill.key === "from") return { ...search, [pill.key]: undefined };
  const left = (search[pill.key] ?? []).filter((value) => value !== pill.value);
  return { ...search, [pill.key]: left.length ? left : undefined };
}
