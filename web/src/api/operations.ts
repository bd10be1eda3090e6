/** Plans, operations and the emergency wizard: the words of the contract and the calls. */
import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { Problem } from "./client";

export type Verb =
  | "rerun" | "rerun_downstream" | "force_rerun" | "force_rerun_downstream" | "set_success" | "stop" | "pause" | "resume"
  | "set_priority" | "set_resource_group" | "remove_upstream" | "restore_upstream" | "start";
export type Priority = "highest" | "high" | "medium" | "low" | "lowest";
export type Cause = "KEY" | "SAME_NODE" | "MADE_FROM" | "STALE" | "ROWS_DIFFER" | "MODEL_REFRESH";
export type Range = "all" | "all_failed" | "all_final" | "custom";
export type SuccessSet = "failed" | "not_run" | "both" | "custom";

export interface Pick {
  instance: number;
  fields: string[] | null;
}

export interface Options {
  start_mode?: "normal" | "dry_run";
  range?: Range | null;
  pick?: Pick[];
  cross_day?: boolean;
  level?: number | null;
  set?: SuccessSet | null;
  priority?: Priority | null;
  resource_group?: string | null;
  until?: string | null;
  upstream?: number[];
  with_not_run_descendants?: boolean;
  check_sources?: boolean;
}

export interface PlanAsked {
  verb: Verb;
  scope: { instances?: number[]; query?: string; environment?: "prod" | "dev" };
  fields?: string[] | null;
  options?: Options;
}

export interface Step {
  node_instance: number;
  instance: number;
  table: string;
  node: string;
  label: string;
  fields: string[];
  data_timestamp: string;
  action: "run" | "dry_run" | "stop" | "set_status" | "mark" | "edge";
  from: string;
  to: string;
  level: number;
}

export interface Required {
  table: string;
  data_timestamp: string;
  instance: number;
  field: string;
  cause: Cause;
  because: string;
}

export interface Conflict {
  object: string;
  code: string;
  message: string;
}

export interface Skipped extends Conflict {
  instead?: string | null;
  instance?: number | null;
  node_instance?: number | null;
}

export interface BaselineImpact {
  name: string;
  slip_minutes: number;
  breaks: boolean;
}

export interface Impact {
  node_instances: number;
  fields: number;
  tables: number;
  projects: string[];
  owners: string[];
  running_stopped: number;
  engine_seconds: number | null;
  finish_at: string | null;
  baselines?: BaselineImpact[];
}

export interface OlderThanInput {
  instance: number;
  object: string;
  data_timestamp: string;
  fields: string[];
}

export interface NotSucceeded {
  instance: number;
  object: string;
  data_timestamp: string;
  status: string;
}

export interface Plan {
  plan: string;
  hash: string;
  expires_at: string;
  verb: string;
  steps: Step[];
  required: Required[];
  conflicts: Conflict[];
  skipped: Skipped[];
  impact: Impact;
  older_than_input?: OlderThanInput[];
  ancestors_not_succeeded?: NotSucceeded[];
  reason_required?: boolean;
  warning?: string;
  refused?: string;
}

export type OperationStatus = "applied" | "applying" | "refused" | "cancelled" | "awaiting_consent";

export interface Operation {
  operation: number;
  status: OperationStatus;
  verb: string;
  source: "ui" | "api" | "cli" | "agent";
  actor: string;
  at: string;
  reason: string;
  applied: number;
  total: number;
  objects: string[];
  scope?: Record<string, unknown>;
  options?: Record<string, unknown>;
  fields?: string[] | null;
  undo_of?: number | null;
  undone_by?: number | null;
  undoable?: boolean;
  not_undoable_because?: string;
  skipped?: Skipped[];
}

export interface OperationResult {
  node_instance: number;
  instance: number;
  table: string;
  node: string;
  label: string;
  fields: string[];
  data_timestamp: string;
  action: string;
  before: string;
  after: string;
  result: string;
}

export interface OperationDetail extends Operation {
  plan_hash: string;
  items: OperationResult[];
}

export interface OperationPage {
  items: Operation[];
  cursor: string | null;
}

export interface FieldChoice {
  field: string;
  key: boolean;
  state: "selectable" | "required" | "group" | "disabled";
  group?: string[];
  cause?: string;
  because?: string;
  status: string;
}

export interface Draft {
  id: string;
  step: number;
  instance: number;
  data_timestamp: string;
  object?: string;
  warning?: string;
}

export interface DraftProject {
  project: string;
  display_name: string;
  administrator: boolean;
  instances: number;
}

export interface DraftProjects {
  step: number;
  projects: DraftProject[];
  warning?: string;
}

export interface DraftImpact {
  step: number;
  force_rerun: number;
  dry_run: number;
  baselines: BaselineImpact[];
  conflicts: Conflict[];
  finish_at: string | null;
  hash: string;
  message?: string;
}

export interface Me {
  name: string;
  source?: string;
  rights?: string[];
}

async function call<T>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<T> {
  const response = await fetch(`/api/v1/${path}`, {
    method,
    headers: { ...(body === undefined ? {} : { "Content-Type": "application/json" }), Accept: "application/json", ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const answer: unknown = await response.json().catch(() => ({}));
  if (!response.ok) throw new Problem(response.status, answer);
  return answer as T;
}

const query = (values: Record<string, string | number | undefined | null>) => {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(values)) if (value !== undefined && value !== null && value !== "") search.set(key, String(value));
  const text = search.toString();
  return text ? `?${text}` : "";
};

/** `crypto.randomUUID` exists only on secure pages; an operations centre is often served on a plain host name. */
export const newKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

export const askPlan = (asked: PlanAsked) => call<Plan>("POST", "plans", asked);
export const confirmPlan = (body: { plan: string; hash: string; reason: string }, key: string) =>
  call<Operation>("POST", "operations", body, { "Idempotency-Key": key });
export const planUndo = (operation: number) => call<Plan>("POST", `operations/${operation}/undo?plan_only=true`, { reason: "" });
export const undoOperation = (operation: number, reason: string) => call<Operation>("POST", `operations/${operation}/undo`, { reason });
export const cancelOperation = (operation: number) => call<Operation>("POST", `operations/${operation}/cancel`, {});

export const beginDraft = (instance: number) => call<Draft>("POST", "emergency-drafts", { instance });
export const sendBasic = (id: string, body: { start: "self" | "children"; cross_day: boolean; confirmed: boolean }) =>
  call<DraftProjects>("PUT", `emergency-drafts/${id}/basic`, body);
export const sendProjects = (id: string, body: { selected: string[]; confirmed: boolean }) =>
  call<DraftImpact>("PUT", `emergency-drafts/${id}/projects`, body);
export const submitDraft = (id: string, body: { hash: string; reason: string; accepted: boolean }) =>
  call<Operation>("POST", `emergency-drafts/${id}/submit`, body);

export interface HistoryFilters {
  object?: string;
  verb?: string;
  operator?: string;
  source?: string;
  from?: string;
  to?: string;
}

export const operationsQuery = (filters: HistoryFilters) =>
  infiniteQueryOptions({
    queryKey: ["operations", filters],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam }) => call<OperationPage>("GET", `operations${query({ ...filters, limit: 50, cursor: pageParam })}`),
    getNextPageParam: (page) => page.cursor ?? undefined,
    placeholderData: keepPreviousData,
  });

export const operationQuery = (operation: number) =>
  queryOptions({
    queryKey: ["operation", operation],
    queryFn: () => call<OperationDetail>("GET", `operations/${operation}`),
    refetchInterval: ({ state }) => (state.data?.status === "applying" ? 1000 : false),
  });

export const instanceOperationsQuery = (id: number) =>
  queryOptions({
    queryKey: ["instance", id, "operations"],
    queryFn: () => call<OperationPage>("GET", `instances/${id}/operations`),
  });

export const choicesQuery = (id: number, verb: Verb, fields: readonly string[]) =>
  queryOptions({
    queryKey: ["instance", id, "choices", verb, [...fields].sort()],
    queryFn: () => call<FieldChoice[]>("GET", `instances/${id}/choices${query({ verb, fields: [...fields].sort().join(",") })}`),
    placeholderData: keepPreviousData,
  });

/** Who acts; a server without accounts does not say. */
export const meQuery = () =>
  queryOptions({
    queryKey: ["me"],
    staleTime: 300_000,
    queryFn: () =>
      call<Me>("GET", "me").catch((problem: unknown): Me | null => {
        if (problem instanceof Problem && problem.status === 404) return null;
        throw problem;
      }),
  });
