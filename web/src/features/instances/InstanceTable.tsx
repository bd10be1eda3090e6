/** The rows of the instance list. */
import { Link } from "@tanstack/react-router";
import { Table, Tooltip } from "antd";
import type { ColumnsType } from "antd/es/table";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import type { InstanceItem } from "../../api/client";
import { showDuration } from "../../model/time";
import { Instant } from "../../ui/Instant";
import { Counts, Marks } from "../../ui/Status";
import { RowMenu, useVerbMenu } from "../../widgets/VerbMenu";

export const OPTIONAL_COLUMNS = ["period", "data_timestamp", "scheduled", "start", "end", "run_time", "priority", "owner", "project", "tags"] as const;
export type OptionalColumn = (typeof OPTIONAL_COLUMNS)[number];

interface Props {
  items: InstanceItem[];
  hidden: readonly OptionalColumn[];
  compact: boolean;
  sort: string;
  changeSort: (sort: string) => void;
  more: boolean;
  loadingMore: boolean;
  loadMore: () => void;
  selected: readonly number[];
  select: (ids: number[]) => void;
}

/** Column key -> the server's sort word. */
const SORTS: Record<string, string> = { object: "name", scheduled: "scheduled", start: "start", end: "end", run_time: "run_time" };

export function InstanceTable({ items, hidden, compact, sort, changeSort, more, loadingMore, loadMore, selected, select }: Props) {
  const { t } = useTranslation();
  const menu = useVerbMenu();
  const end = useRef<HTMLDivElement>(null);

  useEffect(() => {
    if (!more || loadingMore || !end.current) return;
    const seen = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && loadMore(), { rootMargin: "600px" });
    seen.observe(end.current);
    return () => seen.disconnect();
  }, [more, loadingMore, loadMore]);

  const sortOrder = (key: string) =>
    sort.replace(/^-/, "") !== SORTS[key] ? null : sort.startsWith("-") ? ("descend" as const) : ("ascend" as const);
  const sortable = (key: string) => ({ sorter: true, sortOrder: sortOrder(key), showSorterTooltip: false });

  const columns: ColumnsType<InstanceItem> = [
    {
      key: "object", title: t("column.object"), width: 270, fixed: "left", ...sortable("object"),
      render: (_, item) => (
        <div className="object">
          <Tooltip title={item.description} mouseEnterDelay={0.5}><Link to="/instances/$id" params={{ id: String(item.id) }}>{item.object}</Link></Tooltip>
          <small><span className="mono">{item.id}</span>{item.table_kind && <span>{t(`table_kind.${item.table_kind}`)}</span>}<Marks marks={item.marks ?? []} /></small>
        </div>
      ),
    },
    { key: "fields", title: t("column.fields"), width: 110, render: (_, item) => <Counts counts={item.status.fields} /> },
    { key: "nodes", title: t("column.nodes"), width: 110, render: (_, item) => <Counts counts={item.status.nodes} /> },
    { key: "period", title: t("column.period"), width: 76, render: (_, item) => t(`period.${item.period}`, item.period) },
    { key: "data_timestamp", title: t("column.data_timestamp"), width: 144, className: "numeric", dataIndex: "data_timestamp" },
    { key: "scheduled", title: t("column.scheduled"), width: 200, ...sortable("scheduled"), render: (_, item) => <Instant at={item.scheduled_at} zone={item.timezone} /> },
    { key: "start", title: t("column.start"), width: 200, ...sortable("start"), render: (_, item) => <Instant at={item.start} zone={item.timezone} /> },
    { key: "end", title: t("column.end"), width: 200, ...sortable("end"), render: (_, item) => <Instant at={item.end} zone={item.timezone} /> },
    { key: "run_time", title: t("column.run_time"), width: 100, className: "numeric", ...sortable("run_time"), render: (_, item) => (item.run_seconds == null ? <span className="quiet">–</span> : showDuration(item.run_seconds)) },
    { key: "priority", title: t("column.priority"), width: 90, render: (_, item) => (item.priorities ?? []).map((word) => t(`priority.${word}`, word)).join(", ") },
    { key: "owner", title: t("column.owner"), width: 110, render: (_, item) => (item.owners ?? []).join(", ") },
    { key: "project", title: t("column.project"), width: 150, ellipsis: true, render: (_, item) => (item.projects ?? []).map((name, n) => { const shown = item.project_display_names?.[n]; return shown && shown !== name ? `${name} (${shown})` : name; }).join(", ") },
    { key: "tags", title: t("column.tags"), width: 120, render: (_, item) => <span className="chips">{(item.tags ?? []).map((tag) => <span className="chip" key={tag}>{tag}</span>)}</span> },
  ];
  columns.push({
    key: "actions", title: <span className="hidden">{t("operate.actions")}</span>, width: 54, fixed: "right",
    render: (_, item) => <RowMenu label={t("operate.row_menu", { name: item.object })} disabled={selected.length > 0} items={menu({ ...item, statuses: Object.keys(item.status.nodes) }, true)} />,
  });
  const shown = columns.filter((column) => !hidden.includes(column.key as OptionalColumn));
  return (
    <>
      <Table<InstanceItem>
        rowKey="id" rowSelection={{ selectedRowKeys: [...selected], onChange: (keys) => select(keys.map(Number)), preserveSelectedRowKeys: true, columnWidth: 42, fixed: true, getCheckboxProps: (item) => ({ "aria-label": t("operate.select", { name: item.object }) }) as object }}
        size={compact ? "small" : "middle"} columns={shown} dataSource={items} pagination={false} sticky={{ offsetHeader: -18 }} scroll={{ x: shown.reduce((sum, column) => sum + Number(column.width), 42) }}
        onChange={(_, __, sorter) => {
          const one = Array.isArray(sorter) ? sorter[0] : sorter;
          const word = SORTS[String(one?.columnKey)];
          if (word) changeSort(one?.order === "ascend" ? word : `-${word}`);
        }}
      />
      <div ref={end} className="quiet" style={{ textAlign: "center", padding: 10 }}>{loadingMore ? t("list.loading_more") : more ? "" : t("list.all_shown")}</div>
    </>
  );
}
