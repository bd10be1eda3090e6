/** Operations as rows, and one of them in a drawer: each item before and after, undo and cancel. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Alert, Button, Descriptions, Drawer, Input, Popconfirm, Progress, Table, Tag, Tooltip } from "antd";
import type { ColumnsType } from "antd/es/table";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { cancelOperation, operationQuery, type Operation, type OperationDetail, type OperationResult } from "../api/operations";
import { Instant } from "../ui/Instant";
import { Moved } from "../ui/Moved";
import { Loading, Nothing, Trouble } from "../ui/States";
import { useOperate } from "./operate";

const LOOK: Record<Operation["status"], { icon: string; colour: string }> = {
  applied: { icon: "✓", colour: "--status-succeeded" },
  applying: { icon: "▶", colour: "--status-running" },
  refused: { icon: "✕", colour: "--status-failed" },
  cancelled: { icon: "■", colour: "--status-idle" },
  awaiting_consent: { icon: "◷", colour: "--status-waiting" },
};

export function OperationStatusWords({ status }: { status: Operation["status"] }) {
  const { t } = useTranslation();
  return <span className="status" style={{ color: `var(${LOOK[status].colour})` }}><i aria-hidden>{LOOK[status].icon}</i>{t(`operation_status.${status}`)}</span>;
}

interface Props {
  items: Operation[];
  open: (operation: number) => void;
  empty?: string;
}

export function OperationList({ items, open, empty }: Props) {
  const { t } = useTranslation();
  const columns: ColumnsType<Operation> = [
    { key: "at", title: t("history.at"), width: 185, render: (_, one) => <Instant at={one.at} /> },
    {
      key: "verb", title: t("history.verb"), width: 225,
      render: (_, one) => <><Button type="link" size="small" style={{ padding: 0, height: "auto" }} onClick={(event) => { event.stopPropagation(); open(one.operation); }}>{t(`verb.${one.verb}`, one.verb)} #{one.operation}</Button>{one.undo_of ? <div><Tag>{t("history.undo_of", { operation: one.undo_of })}</Tag></div> : one.undone_by ? <div><Tag>{t("history.undone_by", { operation: one.undone_by })}</Tag></div> : null}</>,
    },
    { key: "objects", title: t("history.objects"), width: 205, ellipsis: true, render: (_, one) => <span title={one.objects.join(", ")}>{one.objects.join(", ")}{one.fields?.length ? <span className="quiet"> ({one.fields.join(", ")})</span> : null}</span> },
    { key: "status", title: t("column.status"), width: 150, render: (_, one) => <><OperationStatusWords status={one.status} /> <span className="quiet numeric">{one.applied}/{one.total}</span></> },
    { key: "actor", title: t("history.operator"), width: 105, ellipsis: true, dataIndex: "actor" },
    { key: "source", title: t("history.source"), width: 125, render: (_, one) => <span className="chip">{t(`source.${one.source}`)}</span> },
    { key: "reason", title: t("operate.reason"), width: 170, ellipsis: true, render: (_, one) => <span title={one.reason}>{one.reason || <span className="quiet">–</span>}</span> },
  ];
  return (
    <Table<Operation>
      rowKey="operation" size="small" columns={columns} dataSource={items} pagination={false} scroll={{ x: 1165 }} rowClassName="pressable"
      onRow={(one) => ({ onClick: () => open(one.operation) })} locale={{ emptyText: <Nothing title={empty ?? t("history.empty")} hint={t("history.empty_hint")} /> }}
    />
  );
}

export function OperationDrawer({ operation, close, show }: { operation?: number; close: () => void; show: (operation: number) => void }) {
  const { t } = useTranslation();
  const query = useQuery({ ...operationQuery(operation ?? 0), enabled: operation !== undefined });
  return (
    <Drawer open={operation !== undefined} onClose={close} size={920} title={query.data ? `${t(`verb.${query.data.verb}`, query.data.verb)} #${query.data.operation}` : t("history.title")} destroyOnHidden>
      {operation === undefined ? null : query.isPending ? <Loading rows={8} /> : query.isError ? <Trouble error={query.error} retry={() => void query.refetch()} /> : <Detail detail={query.data} show={show} />}
    </Drawer>
  );
}

const words = (value: unknown): string => (typeof value === "object" && value !== null ? JSON.stringify(value) : String(value));

function Detail({ detail, show }: { detail: OperationDetail; show: (operation: number) => void }) {
  const { t } = useTranslation();
  const operate = useOperate();
  const queries = useQueryClient();
  const [text, setText] = useState("");
  const cancel = useMutation({
    mutationFn: () => cancelOperation(detail.operation),
    onSettled: () => ["operation", "operations", "instances", "instance"].forEach((key) => void queries.invalidateQueries({ queryKey: [key] })),
  });
  const shown = useMemo(() => {
    const find = text.trim().toLowerCase();
    return find ? detail.items.filter((item) => `${item.table} ${item.label} ${item.fields.join(" ")} ${item.result}`.toLowerCase().includes(find)) : detail.items;
  }, [detail.items, text]);
  const columns: ColumnsType<OperationResult> = [
    { key: "table", title: t("column.table"), width: 230, ellipsis: true, render: (_, item) => <><Link to="/instances/$id" params={{ id: String(item.instance) }}>{item.table}</Link> <span className="quiet numeric">{item.data_timestamp}</span></> },
    { key: "node", title: t("column.node"), width: 70, render: (_, item) => item.label || item.node.split("/").at(-1) },
    { key: "fields", title: t("column.fields"), width: 150, ellipsis: true, render: (_, item) => <span title={item.fields.join(", ")}>{item.fields.join(", ")}</span> },
    { key: "moved", title: t("history.before_after"), width: 250, render: (_, item) => <Moved from={item.before} to={item.after} /> },
    { key: "result", title: t("column.outcome"), width: 130, render: (_, item) => t(`result.${item.result}`, item.result.replaceAll("_", " ")) },
  ];
  const options = Object.entries(detail.options ?? {}).filter(([, value]) => value !== null && value !== "" && !(Array.isArray(value) && value.length === 0));
  const running = detail.status === "applying" || detail.status === "awaiting_consent";
  return (
    <div className="detail">
      <div className="filters">
        <OperationStatusWords status={detail.status} />
        <span className="quiet numeric">{t("operate.progress", { applied: detail.applied, total: detail.total })}</span>
        <span className="grow" />
        {running && (
          <Popconfirm title={t("history.cancel_sure")} okText={t("history.cancel")} cancelText={t("common.close")} onConfirm={() => cancel.mutate()}>
            <Button danger loading={cancel.isPending}>{t("history.cancel")}</Button>
          </Popconfirm>
        )}
        {!detail.undone_by && (
          <Tooltip title={detail.undoable ? "" : detail.not_undoable_because || t("history.not_undoable")}>
            <Button disabled={!detail.undoable} onClick={() => operate({ verb: "rerun", undo: detail.operation, object: `${t(`verb.${detail.verb}`, detail.verb)} #${detail.operation}` })}>{t("verb.undo")}</Button>
          </Tooltip>
        )}
      </div>
      {detail.status === "applying" && <Progress percent={detail.total ? Math.floor((100 * detail.applied) / detail.total) : 0} status="active" />}
      {cancel.isError && <Alert type="error" showIcon title={cancel.error.message} />}
      <Descriptions
        size="small" column={2} bordered
        items={[
          { key: "at", label: t("history.at"), children: <Instant at={detail.at} /> },
          { key: "actor", label: t("history.operator"), children: <>{detail.actor} <span className="chip">{t(`source.${detail.source}`)}</span></> },
          { key: "reason", label: t("operate.reason"), span: 2, children: detail.reason || "–" },
          { key: "scope", label: t("history.scope"), span: 2, children: <span className="mono">{Object.entries(detail.scope ?? {}).filter(([, value]) => value !== null).map(([key, value]) => `${key}: ${words(value)}`).join("; ") || "–"}</span> },
          ...(detail.fields?.length ? [{ key: "fields", label: t("column.fields"), span: 2, children: detail.fields.join(", ") }] : []),
          ...(options.length ? [{ key: "options", label: t("history.options"), span: 2, children: <span className="chips">{options.map(([key, value]) => <span key={key} className="chip">{key}: {words(value)}</span>)}</span> }] : []),
          { key: "hash", label: t("history.plan_hash"), span: 2, children: <span className="mono">{detail.plan_hash}</span> },
          ...(detail.undo_of ? [{ key: "undo_of", label: t("verb.undo"), span: 2, children: <Button type="link" size="small" style={{ padding: 0 }} onClick={() => show(detail.undo_of!)}>{t("history.undo_of", { operation: detail.undo_of })}</Button> }] : []),
          ...(detail.undone_by ? [{ key: "undone_by", label: t("verb.undo"), span: 2, children: <Button type="link" size="small" style={{ padding: 0 }} onClick={() => show(detail.undone_by!)}>{t("history.undone_by", { operation: detail.undone_by })}</Button> }] : []),
        ]}
      />
      {(detail.skipped ?? []).length > 0 && (
        <section><h3>{t("plan.skipped", { count: detail.skipped!.length })}</h3><ul className="plain">{detail.skipped!.map((one, n) => <li key={n}><b>{one.object}</b> {one.message}</li>)}</ul></section>
      )}
      <div className="filters" style={{ marginTop: 14 }}>
        <h3 style={{ margin: 0 }}>{t("history.items")}</h3><span className="grow" />
        <Input allowClear size="small" style={{ width: 200 }} placeholder={t("plan.find")} aria-label={t("plan.find")} value={text} onChange={(event) => setText(event.target.value)} />
      </div>
      <Table<OperationResult> rowKey={(item) => `${item.node_instance}-${item.action}`} size="small" columns={columns} dataSource={shown} pagination={false} virtual={shown.length > 40} scroll={{ x: 830, y: shown.length > 40 ? 420 : undefined }} />
    </div>
  );
}
