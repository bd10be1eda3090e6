/** The generated client: every call and answer is typed by the server's OpenAPI document. */
import createClient from "openapi-fetch";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];
export type InstanceItem = Schemas["InstanceItem"];
export type InstanceDetail = Schemas["InstanceDetail"];
export type FieldInstance = Schemas["FieldInstance"];
export type NodeInstance = Schemas["NodeInstance"];
export type RunItem = Schemas["RunItem"];
export type Graph = Schemas["Graph"];
export type GraphNode = Schemas["GraphNode"];
export type Lineage = Schemas["Lineage"];
export type StatusWord = NodeInstance["status"];
export type FieldStatusWord = FieldInstance["status"];

export const client = createClient<paths>({ baseUrl: "/" });

/** What the server said went wrong: `code` is stable, `detail` is for people. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly hint: string;
  readonly body: Record<string, unknown>;

  constructor(status: number, body: unknown) {
    const problem = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
    super(String(problem.detail || problem.title || `HTTP ${status}`));
    this.status = status;
    this.body = problem;
    this.code = String(problem.code ?? "unknown");
    this.hint = String(problem.hint ?? "");
  }
}

/** The data of an answer, or its problem thrown. */
export async function unwrap<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await call;
  if (data === undefined) throw new Problem(response.status, error);
  return data;
}
