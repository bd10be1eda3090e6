/** Plans, operations and the emergency wizard: the words of the contract and the calls. */
import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { client, Problem, unwrap, type Schemas } from "./client";

export type Options = Partial<Schemas["OptionsAsked"]>;
export type PlanAsked = Pick<Schemas["PlanAsked"], "verb"> & { scope: Partial<Schemas["ScopeAsked"]>; fields?: string[] | null; options?: Options };
export type Verb = Schemas["PlanAsked"]["verb"];
export type Priority = NonNullable<Options["priority"]>;
export type Range = NonNullable<Options["range"]>;
export type SuccessSet = NonNullable<Options["set"]>;
export type Picked = Schemas["PickAsked"];
export type Plan = Schemas["PlanBody"];
export type Step = Schemas["StepItem"];
export type Required = Schemas["RequiredItem"];
export type Conflict = Schemas["ConflictItem"];
export type Skipped = Schemas["SkippedItem"];
export type Operation = Schemas["OperationItem"];
export type OperationDetail = Schemas["OperationDetail"];
export type OperationResult = Schemas["OperationItemResult"];
export type FieldChoice = Schemas["FieldChoice"];
export interface HistoryFilters {
  object?: string;
  verb?: string;
  operator?: string;
  source?: string;
  from?: string;
  to?: string;
}

/** The wizard's words; written by hand until its routes are in the contract. */
export interface BaselineImpact {
  name: string;
  slip_minutes: number;
  breaks: boolean;
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

/** `crypto.randomUUID` exists only on secure pages; an operations centre is often served on a plain host name. */
export const newKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

export const askPlan = (asked: PlanAsked): Promise<Plan> => unwrap(client.POST("/api/v1/plans", { body: asked as Schemas["PlanAsked"] }));
export const confirmPlan = (body: Schemas["ConfirmAsked"], key: string): Promise<Operation> =>
  unwrap(client.POST("/api/v1/operations", { body, params: { header: { "idempotency-key": key } } }));
const undo = (operation: number, reason: string, plan_only: boolean) =>
  unwrap(client.POST("/api/v1/operations/{operation}/undo", { body: { reason }, params: { path: { operation }, query: { plan_only } } }));
export const planUndo = (operation: number) => undo(operation, "", true) as Promise<Plan>;
export const undoOperation = (operation: number, reason: string) => undo(operation, reason, false) as Promise<Operation>;
export const cancelOperation = (operation: number) => call<Operation>("POST", `operations/${operation}/cancel`, {});

export const beginDraft = (instance: number) => call<Draft>("POST", "emergency-drafts", { instance });
export const sendBasic = (id: string, body: { start: "self" | "children"; cross_day: boolean; confirmed: boolean }) =>
  call<DraftProjects>("PUT", `emergency-drafts/${id}/basic`, body);
export const sendProjects = (id: string, body: { selected: string[]; confirmed: boolean }) =>
  call<DraftImpact>("PUT", `emergency-drafts/${id}/projects`, body);
export const submitDraft = (id: string, body: { hash: string; reason: string; accepted: boolean }) =>
  call<Operation>("POST", `emergency-drafts/${id}/submit`, body);

export const operationsQuery = (filters: HistoryFilters) =>
  infiniteQueryOptions({
    queryKey: ["operations", filters],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam }) => unwrap(client.GET("/api/v1/operations", { params: { query: { ...filters, limit: 50, cursor: pageParam } } })),
    getNextPageParam: (page) => page.cursor ?? undefined,
    placeholderData: keepPreviousData,
  });

export const operationQuery = (operation: number) =>
  queryOptions({
    queryKey: ["operation", operation],
    queryFn: () => unwrap(client.GET("/api/v1/operations/{operation}", { params: { path: { operation } } })),
    refetchInterval: ({ state }) => (state.data?.status === "applying" ? 1000 : false),
  });

export const instanceOperationsQuery = (id: number) =>
  queryOptions({
    queryKey: ["instance", id, "operations"],
    queryFn: () => unwrap(client.GET("/api/v1/instances/{id}/operations", { params: { path: { id } } })),
  });

export const choicesQuery = (id: number, verb: Verb, fields: readonly string[]) =>
  queryOptions({
    queryKey: ["instance", id, "choices", verb, [...fields].sort()],
    queryFn: () => unwrap(client.GET("/api/v1/instances/{id}/choices", { params: { path: { id }, query: { verb, fields: [...fields].sort().join(",") } } })),
    placeholderData: keepPreviousData,
  });
