/** The pages and their places in the URL. */
import type { QueryClient } from "@tanstack/react-query";
import { createRootRouteWithContext, createRoute, createRouter, Link } from "@tanstack/react-router";
import { Result } from "antd";
import { useTranslation } from "react-i18next";
import { InstancePage, INSTANCE_TABS, type InstanceTab } from "../features/instance/InstancePage";
import { InstancesPage } from "../features/instances/InstancesPage";
import { OverviewPage } from "../features/overview/OverviewPage";
import { SqlPage } from "../features/sql/SqlPage";
import { TablesPage } from "../features/tables/TablesPage";
import { parseSearch, type ListSearch } from "../model/filters";
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
  validateSearch: (raw: Record<string, unknown>): { tab?: InstanceTab; field?: string; run?: number } => ({
    tab: INSTANCE_TABS.find((tab) => tab === raw.tab),
    field: typeof raw.field === "string" ? raw.field : undefined,
    run: typeof raw.run === "number" ? raw.run : undefined,
  }),
  component: function Instance() {
    const { id } = instance.useParams();
    const search = instance.useSearch();
    const navigate = instance.useNavigate();
    return (
      <InstancePage
        key={id} id={Number(id)} tab={search.tab ?? "graph"} field={search.field} run={search.run}
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

const sql = createRoute({ getParentRoute: () => root, path: "/sql", component: SqlPage });

const tree = root.addChildren([overview, instances, instance, tables, sql]);

export function makeRouter(queries: QueryClient) {
  return createRouter({ routeTree: tree, context: { queries }, defaultPreload: "intent", scrollRestoration: true });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
