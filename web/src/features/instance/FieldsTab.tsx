/** The fields of an instance with their statuses, and its nodes with what they wait for. */
import { Button, Input, Select, Table } from "antd";
import type { ColumnsType } from "antd/es/table";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import type { FieldInstance, InstanceDetail, NodeInstance } from "../../api/client";
import { showDuration } from "../../model/time";
import { Instant } from "../../ui/Instant";
import { Marks, StatusWords } from "../../ui/Status";
import { Nothing } from "../../ui/States";

interface Props {
  instance: InstanceDetail;
  openLineage: (field: string) => void;
  openRuns: () => void;
}

const FIELD_STATUSES = ["failed", "running", "waiting", "not_running", "succeeded"] as const;

export function FieldsTab({ instance, openLineage, openRuns }: Props) {
  const { t } = useTranslation();
  const [text, setText] = useState("");
  const [status, setStatus] = useState<string>();
  const shown = useMemo(
    () => instance.fields.filter((field) => field.field.toLowerCase().includes(text.toLowerCase()) && (!status || field.status === status)),
    [instance.fields, text, status],
  );
  const fieldColumns: ColumnsType<FieldInstance> = [
    {
      key: "field", title: t("column.field"), sorter: (a, b) => a.field.localeCompare(b.field),
      render: (_, field) => (
        <div className="object">
          <span><Button type="link" size="small" style={{ padding: 0, height: "auto" }} onClick={() => openLineage(field.field)}>{field.field}</Button>{field.key && <span className="chip key" style={{ marginLeft: 6 }}>{t("instance.key_field")}</span>}</span>
          {field.description && <small>{field.description}</small>}
        </div>
      ),
    },
    { key: "status", title: t("column.status"), width: 160, render: (_, field) => <StatusWords status={field.status} /> },
    { key: "type", title: t("column.type"), width: 150, render: (_, field) => <span className="mono">{field.type}</span> },
    { key: "node", title: t("column.node"), width: 110, render: (_, field) => ((field.labels ?? []).length > 2 ? <span className="chip" title={field.labels!.join(", ")}>{t("instance.all_nodes")}</span> : <span className="chips">{(field.labels ?? []).map((label) => <span key={label} className="chip">{label}</span>)}</span>) },
    { key: "start", title: t("column.start"), width: 205, render: (_, field) => <Instant at={field.start} zone={instance.timezone} /> },
    { key: "end", title: t("column.end"), width: 205, render: (_, field) => <Instant at={field.end} zone={instance.timezone} /> },
    { key: "time", title: t("column.run_time"), width: 90, className: "numeric", render: (_, field) => (field.run_seconds == null ? "–" : showDuration(field.run_seconds)) },
  ];
  const nodeColumns: ColumnsType<NodeInstance> = [
    {
      key: "node", title: t("column.node"), width: 150,
      render: (_, node) => (
        <div className="object">
          <span>{node.label} {node.row_node && <span className="chip key" title={t("instance.row_node_hint")}>{t("instance.row_node")}</span>}</span>
          <small className="mono" title={node.node}>{node.node.split("/").at(-1)}</small>
        </div>
      ),
    },
    { key: "status", title: t("column.status"), width: 230, render: (_, node) => <><StatusWords status={node.status} /> <Marks marks={node.marks} /></> },
    { key: "fields", title: t("column.fields"), render: (_, node) => <span className="chips">{node.fields.map((field) => <span key={field} className="chip">{field}</span>)}</span> },
    { key: "why", title: t("column.why"), width: 320, render: (_, node) => <span className="quiet">{node.why}</span> },
    { key: "waits", title: t("column.waits"), width: 260, render: (_, node) => (node.status === "succeeded" || node.status === "running" ? <span className="quiet">–</span> : (node.waits_for ?? []).map((reason) => <div key={reason}>{reason}</div>)) },
    { key: "run", title: t("column.run"), width: 70, render: (_, node) => (node.run ? <Button type="link" size="small" style={{ padding: 0 }} onClick={openRuns}>#{node.run}</Button> : "–") },
  ];
  return (
    <>
      {instance.fields.length > 0 && (
        <>
          <div className="filters" role="search">
            <Input data-search allowClear style={{ width: 240 }} placeholder={t("instance.search_field")} aria-label={t("instance.search_field")} value={text} onChange={(event) => setText(event.target.value)} />
            <Select allowClear style={{ width: 180 }} placeholder={t("instance.filter_status")} aria-label={t("instance.filter_status")} value={status} onChange={setStatus} options={FIELD_STATUSES.map((value) => ({ value, label: t(`status.${value}`) }))} />
            <span className="quiet">{shown.length} / {instance.fields.length}</span>
          </div>
          <Table rowKey="field" size="small" columns={fieldColumns} dataSource={shown} pagination={false} scroll={{ x: 1000, y: shown.length > 60 ? 560 : undefined }} virtual={shown.length > 60} locale={{ emptyText: <Nothing title={t("instance.no_match")} /> }} />
        </>
      )}
      {instance.fields.length === 0 && <p className="quiet">{t("instance.no_fields")}</p>}
      <h2 style={{ fontSize: 15, margin: "20px 0 8px" }}>{t("instance.nodes_title")}</h2>
      <Table rowKey="id" size="small" columns={nodeColumns} dataSource={instance.nodes} pagination={false} scroll={{ x: 1100 }} />
    </>
  );
}
