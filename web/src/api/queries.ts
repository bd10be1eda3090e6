/** Every read of the server, as query options: one key, one function. */
import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import type { operations } from "./schema";
import { client, unwrap } from "./client";

export type InstanceFilters = Omit<NonNullable<operations["listInstances"]["parameters"]["query"]>, "cursor" | "limit">;

export const overviewQuery = () =>
  queryOptions({ queryKey: ["overview"], queryFn: () => unwrap(client.GET("/api/v1/overview")) });

export const projectsQuery = () =>
  queryOptions({ queryKey: ["projects"], queryFn: () => unwrap(client.GET("/api/v1/projects")) });

export const instancesQuery = (filters: InstanceFilters) =>
  infiniteQueryOptions({
    queryKey: ["instances", filters],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam }) =>
      unwrap(
        client.GET("/api/v1/instances", {
          params: { query: { ...filters, limit: 100, cursor: pageParam, count: pageParam ? undefined : "exact" } },
        }),
      ),
    getNextPageParam: (page) => page.cursor ?? undefined,
    placeholderData: keepPreviousData,
  });

export const instanceQuery = (id: number) =>
  queryOptions({
    queryKey: ["instance", id],
    queryFn: () => unwrap(client.GET("/api/v1/instances/{id}", { params: { path: { id } } })),
  });

export const runsQuery = (id: number) =>
  queryOptions({
    queryKey: ["instance", id, "runs"],
    queryFn: () => unwrap(client.GET("/api/v1/instances/{id}/runs", { params: { path: { id } } })),
  });

export const codeQuery = (id: number) =>
  queryOptions({
    queryKey: ["instance", id, "code"],
    queryFn: () => unwrap(client.GET("/api/v1/instances/{id}/code", { params: { path: { id } } })),
  });

export const graphQuery = (id: number, up: number, down: number) =>
  queryOptions({
    queryKey: ["instance", id, "graph", up, down],
    queryFn: () =>
      unwrap(client.GET("/api/v1/instances/{id}/graph", { params: { path: { id }, query: { up, down } } })),
    placeholderData: keepPreviousData,
  });

export const logSlice = (run: number, offset: number) =>
  unwrap(client.GET("/api/v1/runs/{id}/log", { params: { path: { id: run }, query: { offset, limit: 262144 } } }));

export const tablesQuery = () =>
  queryOptions({ queryKey: ["tables"], queryFn: () => unwrap(client.GET("/api/v1/tables")) });

export const tableQuery = (table: string) =>
  queryOptions({
    queryKey: ["tables", table],
    queryFn: () => unwrap(client.GET("/api/v1/tables/{table}", { params: { path: { table } } })),
  });

export type Direction = "production" | "consumption";

export const lineageQuery = (table: string, field: string, direction: Direction, data?: string) =>
  queryOptions({
    queryKey: ["lineage", table, field, direction, data],
    enabled: Boolean(field),
    queryFn: () => {
      const params = { path: { table, field }, query: { data } };
      return direction === "production"
        ? unwrap(client.GET("/api/v1/tables/{table}/fields/{field}/production", { params }))
        : unwrap(client.GET("/api/v1/tables/{table}/fields/{field}/consumption", { params }));
    },
  });

export const runSql = (sql: string) => unwrap(client.POST("/api/v1/sql", { body: { sql, parameters: {}, limit: 1000 } }));
