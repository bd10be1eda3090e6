/** The fields of an instance: search, what goes along, the verbs of one or of some; and its nodes with what they wait for. */
import { useQuery } from "@tanstack/react-query";
import { Button, Checkbox, Input, Select, Table, type MenuProps } from "antd";
import type { ColumnsType } from "antd/es/table";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import type { FieldInstance, InstanceDetail, NodeInstance } from "../../api/client";
import { choicesQuery } from "../../api/operations";
import { toggleField } from "../../model/plan";
import { eligible, isDangerous, type Verb } from "../../model/verbs";
import { showDuration } from "../../model/time";
import { Instant } from "../../ui/Instant";
import { Marks, StatusWords } from "../../ui/Status";
import { Nothing } from "../../ui/States";
import { FIELD_STATUSES } from "../../widgets/FieldPicker";
import { useOperate } from "../../widgets/operate";
import { RowMenu, useVerbMenu } from "../../widgets/VerbMenu";

interface Props {
  instance: InstanceDetail;
  openLineage: (field: string) => void;
  open: (tab: "runs" | "code" | "lineage") => void;
}

const VERBS_OF_MANY: readonly Verb[] = ["rerun", "rerun_downstream", "force_rerun", "force_rerun_downstream", "stop", "pause", "resume", "set_success"];
const LINKS = ["lineage", "runs", "code"] as const;

export function FieldsTab({ instance, openLineage, open }: Props) {
  const { t } = useTranslation();
  const [text, setText] = useState("");
  const [status, setStatus] = useState<string>();
  const [requiredFirst, setRequiredFirst] = useState(false);
  const [selected, setSelected] = useState<string[]>([]);
  const operate = useOperate();
  const menu = useVerbMenu();
  /** Force rerun takes every status: what it requires or refuses holds for all verbs on fields. */
  const choices = useQuery({ ...choicesQuery(instance.id, "force_rerun", selected), enabled: instance.fields.length > 0 });
  const choiceOf = useMemo(() => new Map((choices.data ?? []).map((choice) => [choice.field, choice])), [choices.data]);
  const goAlong = (field: string) => choiceOf.get(field)?.state === "required" && !selected.includes(field);
  const shown = useMemo(() => {
    const found = instance.fields.filter((field) => field.field.toLowerCase().includes(text.toLowerCase()) && (!status || field.status === status));
    const required = (field: FieldInstance) => Number(choiceOf.get(field.field)?.state === "required");
    return requiredFirst && selected.length > 0 ? [...found].sort((a, b) => required(b) - required(a)) : found;
  }, [instance.fields, text, status, requiredFirst, choiceOf, selected.length]);
  const select = (keys: string[]) => {
    const added = keys.find((field) => !selected.includes(field));
    const choice = added === undefined || keys.length !== selected.length + 1 ? undefined : choiceOf.get(added);
    setSelected(choice ? toggleField(selected, choice) : keys);
  };
  const object = `${instance.object} ${instance.data_timestamp}`;
  const marks = instance.marks ?? [];
  const chosenStatuses = [...new Set(instance.fields.filter(({ field }) => selected.includes(field)).map((field) => field.status))];
  const rowMenu = (field: FieldInstance): MenuProps["items"] => [
    ...LINKS.map((tab) => ({ key: tab, label: t(`fields.${tab}`), onClick: () => (tab === "lineage" ? openLineage(field.field) : open(tab)) })),
    { key: "consumption", label: t("fields.consumption"), onClick: () => openLineage(field.field) },
    { type: "divider", key: "line" },
    ...menu({ ...instance, statuses: [field.status], marks, fields: [field.field] }),
  ];
  const fieldColumns: ColumnsType<FieldInstance> = [
    {
      key: "field", title: t("column.field"), sorter: (a, b) => a.field.localeCompare(b.field),
      render: (_, field) => (
        <div className="object">
          <span><Button type="link" size="small" style={{ padding: 0, height: "auto" }} onClick={() => openLineage(field.field)}>{field.field}</Button>{field.key && <span className="chip key" style={{ marginLeft: 6 }}>{t("instance.key_field")}</span>}</span>
          {goAlong(field.field) ? <small className="because"><span className="chip key">{t("picker.required")}</span>{choiceOf.get(field.field)?.because}</small> : choiceOf.get(field.field)?.state === "disabled" ? <small>{choiceOf.get(field.field)?.because}</small> : field.description && <small>{field.description}</small>}
        </div>
      ),
    },
    { key: "status", title: t("column.status"), width: 160, render: (_, field) => <StatusWords status={field.status} /> },
    { key: "type", title: t("column.type"), width: 150, render: (_, field) => <span className="mono">{field.type}</span> },
    { key: "node", title: t("column.node"), width: 110, render: (_, field) => ((field.labels ?? []).length > 2 ? <span className="chip" title={field.labels!.join(", ")}>{t("instance.all_nodes")}</span> : <span className="chips">{(field.labels ?? []).map((label) => <span key={label} className="chip">{label}</span>)}</span>) },
    { key: "start", title: t("column.start"), width: 205, render: (_, field) => <Instant at={field.start} zone={instance.timezone} /> },
    { key: "end", title: t("column.end"), width: 205, render: (_, field) => <Instant at={field.end} zone={instance.timezone} /> },
    { key: "time", title: t("column.run_time"), width: 90, className: "numeric", render: (_, field) => (field.run_seconds == null ? "–" : showDuration(field.run_seconds)) },
    { key: "actions", title: <span className="hidden">{t("operate.actions")}</span>, width: 54, render: (_, field) => <RowMenu label={t("operate.row_menu", { name: field.field })} disabled={selected.length > 0} items={rowMenu(field)!} /> },
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
    { key: "run", title: t("column.run"), width: 70, render: (_, node) => (node.run ? <Button type="link" size="small" style={{ padding: 0 }} onClick={() => open("runs")}>#{node.run}</Button> : "–") },
  ];
  return (
    <>
      {instance.fields.length > 0 && (
        <>
          <div className="filters" role="search">
            <Input data-search allowClear style={{ width: 240 }} placeholder={t("instance.search_field")} aria-label={t("instance.search_field")} value={text} onChange={(event) => setText(event.target.value)} />
            <Select allowClear style={{ width: 180 }} placeholder={t("instance.filter_status")} aria-label={t("instance.filter_status")} value={status} onChange={setStatus} options={FIELD_STATUSES.map((value) => ({ value, label: t(`status.${value}`) }))} />
            <Checkbox checked={requiredFirst} onChange={(event) => setRequiredFirst(event.target.checked)}>{t("picker.required_first")}</Checkbox>
            <span className="quiet">{shown.length} / {instance.fields.length}</span>
          </div>
          <Table
            rowKey="field" rowClassName={(field) => (goAlong(field.field) ? "goes-along" : "")}
            rowSelection={{
              selectedRowKeys: [...selected, ...instance.fields.map(({ field }) => field).filter(goAlong)], columnWidth: 42, preserveSelectedRowKeys: true,
              onChange: (keys) => select(keys.map(String).filter((field) => !goAlong(field))),
              getCheckboxProps: (field) => ({ disabled: goAlong(field.field) || choiceOf.get(field.field)?.state === "disabled", "aria-label": t("operate.select", { name: field.field }) }) as object,
            }}
            size="small" columns={fieldColumns} dataSource={shown} pagination={false} scroll={{ x: 1000, y: shown.length > 60 ? 560 : undefined }} virtual={shown.length > 60} locale={{ emptyText: <Nothing title={t("instance.no_match")} /> }} />
        </>
      )}
      {selected.length > 0 && (
        <div className="batch-bar" role="toolbar" aria-label={t("operate.fields_selected", { count: selected.length })}>
          <b role="status">{t("operate.fields_selected", { count: selected.length })}</b>
          {VERBS_OF_MANY.map((verb) => (
            <Button key={verb} size="small" danger={isDangerous(verb)} disabled={!eligible(verb, chosenStatuses, marks)} onClick={() => operate({ verb, instances: [instance.id], object, fields: selected })}>{t(`verb.${verb}`)}</Button>
          ))}
          <span className="grow" />
          <Button size="small" type="link" onClick={() => setSelected([])}>{t("operate.clear")}</Button>
        </div>
      )}
      {instance.fields.length === 0 && <p className="quiet">{t("instance.no_fields")}</p>}
      <h2 style={{ fontSize: 15, margin: "20px 0 8px" }}>{t("instance.nodes_title")}</h2>
      <Table rowKey="id" size="small" columns={nodeColumns} dataSource={instance.nodes} pagination={false} scroll={{ x: 1100 }} />
    </>
  );
}
