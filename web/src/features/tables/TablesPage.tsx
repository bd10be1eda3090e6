/** The published logical tables: fields, nodes with the reason for each, what they wait for, lineage of a field. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Input, Table } from "antd";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { tablesQuery } from "../../api/queries";
import type { Schemas } from "../../api/client";
import { Loading, Nothing, Trouble } from "../../ui/States";
import { LineagePanel } from "../../widgets/LineagePanel";

interface Props {
  table?: string;
  field?: string;
  change: (next: { table?: string; field?: string }) => void;
}

type Detail = Schemas["TableDetail"];

export function TablesPage({ table, field, change }: Props) {
  const { t } = useTranslation();
  const query = useQuery(tablesQuery());
  const [text, setText] = useState("");
  const shown = useMemo(() => {
    const find = text.toLowerCase();
    return (query.data?.items ?? []).filter((one) => one.table.toLowerCase().includes(find) || one.fields.some(({ field: name }) => name.toLowerCase().includes(find)));
  }, [query.data, text]);
  if (query.isPending) return <Loading rows={8} />;
  if (query.isError) return <Trouble error={query.error} retry={() => void query.refetch()} />;
  const chosen = query.data.items.find((one) => one.table === table) ?? shown[0];
  return (
    <>
      <header className="page-head"><h1>{t("tables.title")}</h1><span className="quiet">{query.data.items.length}</span></header>
      {query.data.items.length === 0 ? (
        <div className="panel"><Nothing title={t("tables.empty")} hint={t("tables.empty_hint")} /></div>
      ) : (
        <div className="split" style={{ gridTemplateColumns: "minmax(230px, 300px) 1fr" }}>
          <div className="panel" style={{ padding: 8 }}>
            <Input data-search allowClear placeholder={t("tables.search")} aria-label={t("tables.search")} value={text} onChange={(event) => setText(event.target.value)} style={{ marginBottom: 6 }} />
            {shown.map((one) => (
              <button key={one.table} type="button" className={`run-row ${one.table === chosen?.table ? "chosen" : ""}`} aria-pressed={one.table === chosen?.table} onClick={() => change({ table: one.table })}>
                <b>{one.table}</b>
                <span className="quiet" style={{ fontSize: 12 }}>{t(`table_kind.${one.kind}`, one.kind)} · {one.fields.length} {t("tables.fields").toLowerCase()} · {one.nodes.length} {t("tables.nodes").toLowerCase()}</span>
              </button>
            ))}
          </div>
          {chosen && <TableView key={chosen.table} detail={chosen} field={field} choose={(name) => change({ table: chosen.table, field: name })} />}
        </div>
      )}
    </>
  );
}

function TableView({ detail, field, choose }: { detail: Detail; field?: string; choose: (field: string) => void }) {
  const { t } = useTranslation();
  return (
    <div style={{ display: "grid", gap: 14 }}>
      <section className="panel">
        <div className="page-head" style={{ marginBottom: 4 }}>
          <b style={{ fontSize: 16 }}>{detail.table}</b>
          <span className="chip">{t(`table_kind.${detail.kind}`, detail.kind)}</span><span className="chip">{t(`period.${detail.period}`, detail.period)}</span>
          <span className="quiet">{t("tables.version", { version: detail.version })}</span><span className="quiet">{detail.owner}</span>
          <Link to="/instances" search={{ q: detail.table, from: "any" }}>{t("nav.instances")}</Link>
        </div>
        {detail.description && <div className="quiet">{detail.description}</div>}
        <div className="mono quiet" style={{ marginTop: 4 }}>{detail.file}</div>
      </section>
      <section className="panel">
        <h2>{t("tables.nodes")}</h2>
        {detail.nodes.map((node) => (
          <div key={node.node} style={{ padding: "6px 0", borderTop: "1px solid var(--line)" }}>
            <div><b>{node.label}</b> {node.row_node && <span className="chip key" title={t("instance.row_node_hint")}>{t("instance.row_node")}</span>} <span className="quiet">{node.why}</span></div>
            <div className="chips" style={{ margin: "4px 0" }}>{node.fields.map((name) => <span key={name} className="chip">{name}</span>)}</div>
            {node.upstream.length > 0 && <div className="quiet" style={{ fontSize: 12 }}>{t("tables.depends")}: {node.upstream.map((one) => `${String(one.table)} (${String(one.window)})`).join(", ")}</div>}
            {node.sources.length > 0 && <div className="quiet" style={{ fontSize: 12 }}>{t("column.sources")}: {node.sources.join(", ")}</div>}
          </div>
        ))}
      </section>
      <section className="panel">
        <h2>{t("tables.fields")}</h2>
        <Table
          rowKey="field" size="small" pagination={false} dataSource={detail.fields} scroll={{ x: 700 }}
          columns={[
            { key: "field", title: t("column.field"), render: (_, one) => <span>{one.field} {one.key && <span className="chip key">{t("instance.key_field")}</span>}</span> },
            { key: "type", title: t("column.type"), render: (_, one) => <span className="mono">{one.type}</span> },
            { key: "node", title: t("column.node"), dataIndex: "label", width: 80 },
            { key: "owner", title: t("column.owner"), dataIndex: "owner", width: 110 },
            { key: "description", title: t("column.description"), dataIndex: "description" },
          ]}
        />
      </section>
      <section>
        <LineagePanel table={detail.table} fields={detail.fields.map((one) => one.field)} field={field ?? detail.fields.find((one) => !one.key)?.field} choose={choose} />
      </section>
    </div>
  );
}
