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
export type Draft = Schemas["Draft"];
export type DraftProject = Schemas["DraftProject"];
export type DraftProjects = Schemas["DraftProjects"];
export type DraftImpact = Schemas["DraftImpact"];

export interface HistoryFilters {
  object?: string;
  verb?: string;
  operator?: string;
  source?: string;
  from?: string;
  to?: string;
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

/** Not in the generated contract yet. */
export async function cancelOperation(operation: number): Promise<void> {
  const response = await fetch(`/api/v1/operations/${operation}/cancel`, { method: "POST" });
  if (!response.ok) throw new Problem(response.status, await response.json().catch(() => ({})));
}

const draft = (id: string) => ({ path: { id } });
export const beginDraft = (instance: number): Promise<Draft> => unwrap(client.POST("/api/v1/emergency-drafts", { body: { instance } }));
export const sendBasic = (id: string, body: Schemas["BasicAsked"]): Promise<DraftProjects> => unwrap(client.PUT("/api/v1/emergency-drafts/{id}/basic", { params: draft(id), body }));
export const sendProjects = (id: string, body: Schemas["ProjectsAsked"]): Promise<DraftImpact> => unwrap(client.PUT("/api/v1/emergency-drafts/{id}/projects", { params: draft(id), body }));
export const submitDraft = (id: string, body: Schemas["SubmitAsked"]): Promise<Operation> => unwrap(client.POST("/api/v1/emergency-drafts/{id}/submit", { params: draft(id), body }));

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
