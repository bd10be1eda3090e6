/** What a field is made from and what is made from it, as two trees side by side. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Select } from "antd";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { Lineage } from "../api/client";
import { lineageQuery, type Direction } from "../api/queries";
import { lineageTree, type LineageBranch } from "../model/lineage";
import { StatusIcon } from "../ui/Status";
import { Loading, Trouble } from "../ui/States";

interface Props {
  table: string;
  fields: readonly string[];
  field?: string;
  data?: string;
  choose: (field: string) => void;
}

export function LineagePanel({ table, fields, field, data, choose }: Props) {
  const { t } = useTranslation();
  return (
    <>
      <div className="filters">
        <Select
          showSearch style={{ minWidth: 240 }} aria-label={t("lineage.choose")} placeholder={t("lineage.choose")} value={field} onChange={choose}
          options={fields.map((value) => ({ value, label: value }))}
        />
        <span className="chip">{t("lineage.legend_value")} ●</span><span className="chip">{t("lineage.legend_rows")} ◌</span>
      </div>
      {field && (
        <div className="cards" style={{ gridTemplateColumns: "repeat(auto-fit, minmax(380px, 1fr))" }}>
          <Side table={table} field={field} direction="production" data={data} />
          <Side table={table} field={field} direction="consumption" data={data} />
        </div>
      )}
    </>
  );
}

function Side({ table, field, direction, data }: { table: string; field: string; direction: Direction; data?: string }) {
  const { t } = useTranslation();
  const query = useQuery(lineageQuery(table, field, direction, data));
  return (
    <section className="panel">
      <h2>{t(`lineage.${direction}`)}</h2>
      {query.isPending ? <Loading rows={4} /> : query.isError ? <Trouble error={query.error} /> : <Tree lineage={query.data} root={`${table}.${field}`} direction={direction} />}
    </section>
  );
}

function Tree({ lineage, root, direction }: { lineage: Lineage; root: string; direction: Direction }) {
  const { t } = useTranslation();
  const tree = useMemo(() => lineageTree(lineage, root, direction), [lineage, root, direction]);
  if (tree.length === 0) return <span className="quiet">{t(direction === "production" ? "lineage.none_up" : "lineage.none_down")}</span>;
  return <Branches branches={tree} />;
}

function Branches({ branches }: { branches: LineageBranch[] }) {
  const { t } = useTranslation();
  return (
    <ul style={{ listStyle: "none", margin: 0, paddingLeft: 14, borderLeft: "1px solid var(--line)" }}>
      {branches.map((branch) => (
        <li key={branch.path} style={{ padding: "2px 0" }}>
          <span title={t(branch.how === "value" ? "lineage.value" : "lineage.rows")} aria-label={t(branch.how === "value" ? "lineage.value" : "lineage.rows")} className="quiet">{branch.how === "value" ? "●" : "◌"}</span>{" "}
          {branch.node.status && <StatusIcon status={branch.node.status} />}{" "}
          {branch.node.kind === "field" ? (
            <Link to="/tables" search={{ table: branch.node.table, field: branch.node.field }}>{branch.node.table}.<b>{branch.node.field}</b></Link>
          ) : (
            <span>{branch.node.table}.<b>{branch.node.field}</b> <span className="chip">{t("lineage.source")}</span></span>
          )}
          {branch.repeated && <span className="quiet"> …</span>}
          {branch.children.length > 0 && <Branches branches={branch.children} />}
        </li>
      ))}
    </ul>
  );
}
