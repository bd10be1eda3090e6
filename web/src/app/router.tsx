/** The pages and their places in the URL. */
import type { QueryClient } from "@tanstack/react-query";
import { createRootRouteWithContext, createRoute, createRouter, Link } from "@tanstack/react-router";
import { Result } from "antd";
import { useTranslation } from "react-i18next";
import { EmergencyPage } from "../features/emergency/EmergencyPage";
import { InstancePage, INSTANCE_TABS, type InstanceTab } from "../features/instance/InstancePage";
import { InstancesPage } from "../features/instances/InstancesPage";
import { HistoryPage } from "../features/operations/HistoryPage";
import { OverviewPage } from "../features/overview/OverviewPage";
import { SqlPage } from "../features/sql/SqlPage";
import { TablesPage } from "../features/tables/TablesPage";
import { parseSearch, type ListSearch } from "../model/filters";
import { parseHistory, type HistorySearch } from "../model/history";
import { Shell } from "./Shell";

interface Context {
  queries: QueryClient;
}

function Missing() {
  const { t } = useTranslation();
  return <Result status="404" title={t("page.not_found")} extra={<Link to="/">{t("page.home")}</Link>} />;
}

const root = createRootRouteWithContext<Context>()({ component: Shell, notFoundComponent: Missing });

const overview = createRoute({ getParentRoute: () => root, path: "/", component: OverviewPage });

const instances = createRoute({
  getParentRoute: () => root,
  path: "/instances",
  validateSearch: parseSearch,
  component: function Instances() {
    const search = instances.useSearch();
    const navigate = instances.useNavigate();
    return <InstancesPage search={search} change={(next: ListSearch) => void navigate({ search: next, replace: true })} />;
  },
});

const instance = createRoute({
  getParentRoute: () => root,
  path: "/instances/$id",
  validateSearch: (raw: Record<string, unknown>): { tab?: InstanceTab; field?: string; run?: number; operation?: number } => ({
    tab: INSTANCE_TABS.find((tab) => tab === raw.tab),
    field: typeof raw.field === "string" ? raw.field : undefined,
    run: typeof raw.run === "number" ? raw.run : undefined,
    operation: typeof raw.operation === "number" ? raw.operation : undefined,
  }),
  component: function Instance() {
    const { id } = instance.useParams();
    const search = instance.useSearch();
    const navigate = instance.useNavigate();
    return (
      <InstancePage
        key={id} id={Number(id)} tab={search.tab ?? "graph"} field={search.field} run={search.run} operation={search.operation}
        change={(next) => void navigate({ search: { ...search, ...next }, replace: true })}
      />
    );
  },
});

const tables = createRoute({
  getParentRoute: () => root,
  path: "/tables",
  validateSearch: (raw: Record<string, unknown>): { table?: string; field?: string } => ({
    table: typeof raw.table === "string" ? raw.table : undefined,
    field: typeof raw.field === "string" ? raw.field : undefined,
  }),
  component: function Tables() {
    const search = tables.useSearch();
    const navigate = tables.useNavigate();
    return <TablesPage table={search.table} field={search.field} change={(next) => void navigate({ search: next, replace: true })} />;
  },
});

const operations = createRoute({
  getParentRoute: () => root,
  path: "/operations",
  validateSearch: parseHistory,
  component: function Operations() {
    const search = operations.useSearch();
    const navigate = operations.useNavigate();
    return <HistoryPage search={search} change={(next: HistorySearch) => void navigate({ search: next, replace: true })} />;
  },
});

const emergency = createRoute({
  getParentRoute: () => root,
  path: "/emergency/$instance",
  component: function Emergency() {
    const { instance: id } = emergency.useParams();
    return <EmergencyPage key={id} instance={Number(id)} />;
  },
});

const sql = createRoute({ getParentRoute: () => root, path: "/sql", component: SqlPage });

const tree = root.addChildren([overview, instances, instance, operations, emergency, tables, sql]);

export function makeRouter(queries: QueryClient) {
  return createRouter({ routeTree: tree, context: { queries }, defaultPreload: "intent", scrollRestoration: true });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
