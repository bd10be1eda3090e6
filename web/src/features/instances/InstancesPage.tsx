/** The list of recurring instances: tabs by kind, filters in the URL, paging as one scrolls. */
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Button, Checkbox, DatePicker, Dropdown, Input, Segmented, Select, Tabs, Tag, Tooltip } from "antd";
import { SettingOutlined } from "@ant-design/icons";
import dayjs from "dayjs";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { instancesQuery, overviewQuery, projectsQuery } from "../../api/queries";
import { NODE_STATUSES } from "../../model/status";
import type { InstanceItem } from "../../api/client";
import { NOTHING, pressed, toQuery, type Selection } from "../../model/selection";
import { BATCH, eligible, isDangerous, type Verb } from "../../model/verbs";
import { useOperate } from "../../widgets/operate";
import { KINDS, pills, toFilters, withoutPill, type ListKey, type ListSearch, type Pill } from "../../model/filters";
import { Loading, Nothing, Trouble } from "../../ui/States";
import { InstanceTable, OPTIONAL_COLUMNS, type OptionalColumn } from "./InstanceTable";

interface Props {
  search: ListSearch;
  change: (search: ListSearch) => void;
}

const HIDDEN = "fieldwise.list.hidden";
const PRIORITIES = ["highest", "high", "medium", "low", "lowest"] as const;
const PERIODS = ["minute", "hour", "day", "week", "month", "year"] as const;
const TABLE_KINDS = ["dimension", "fact", "aggregate"] as const;

export function InstancesPage({ search, change: changeSearch }: Props) {
  const { t } = useTranslation();
  const change = (next: ListSearch) => {
    setSelection(NOTHING);
    changeSearch(next);
  };
  const overview = useQuery(overviewQuery());
  const filters = toFilters(search, overview.data?.data_timestamp);
  const list = useInfiniteQuery({ ...instancesQuery(filters), enabled: !overview.isPending });
  const items = useMemo(() => list.data?.pages.flatMap((page) => page.items) ?? [], [list.data]);
  const total = list.data?.pages[0]?.total ?? null;
  const [hidden, setHidden] = useState<OptionalColumn[]>(() => JSON.parse(localStorage.getItem(HIDDEN) ?? '["priority","tags"]') as OptionalColumn[]);
  const [selection, setSelection] = useState<Selection>(NOTHING);
  const [compact, setCompact] = useState(() => localStorage.getItem("fieldwise.list.compact") === "1");

  const hide = (column: OptionalColumn, off: boolean) => {
    const next = off ? [...hidden, column] : hidden.filter((other) => other !== column);
    localStorage.setItem(HIDDEN, JSON.stringify(next));
    setHidden(next);
  };
  const density = (next: boolean) => {
    localStorage.setItem("fieldwise.list.compact", next ? "1" : "0");
    setCompact(next);
  };

  return (
    <>
      <header className="page-head">
        <h1>{t("nav.instances")}</h1>
        <span className="quiet" role="status">
          {total !== null && (items.length < total ? t("list.shown", { shown: items.length, count: total }) : t("list.total", { count: total }))}
        </span>
      </header>
      <Tabs
        activeKey={search.kind ?? "modeling"}
        onChange={(kind) => change({ ...search, kind: kind as ListSearch["kind"] })}
        items={[...KINDS, "all" as const].map((kind) => ({ key: kind, label: t(`kind.${kind}`) }))}
      />
      <FilterBar search={search} change={change} newest={overview.data?.data_timestamp} />
      <div className="filters" style={{ marginBottom: 8 }}>
        <Pills search={search} change={change} />
        <span style={{ flex: 1 }} />
        <Segmented
          size="small" aria-label={t("list.density")} value={compact ? "compact" : "comfortable"} onChange={(value) => density(value === "compact")}
          options={[{ value: "comfortable", label: t("list.comfortable") }, { value: "compact", label: t("list.compact") }]}
        />
        <Dropdown
          trigger={["click"]}
          popupRender={() => (
            <div className="panel" style={{ display: "grid", gap: 6 }}>
              {OPTIONAL_COLUMNS.map((column) => (
                <Checkbox key={column} checked={!hidden.includes(column)} onChange={(event) => hide(column, !event.target.checked)}>{t(`column.${column}`)}</Checkbox>
              ))}
            </div>
          )}
        >
          <Button size="small" icon={<SettingOutlined />}>{t("list.columns")}</Button>
        </Dropdown>
      </div>
      {overview.isError || list.isError ? (
        <Trouble error={overview.error ?? list.error} retry={() => { void overview.refetch(); void list.refetch(); }} />
      ) : list.isPending ? (
        <Loading rows={10} />
      ) : items.length === 0 ? (
        <div className="panel">
          {overview.data?.data_timestamp ? (
            <Nothing title={t("list.empty")} hint={t("list.empty_hint")} action={<Button onClick={() => change({ kind: search.kind })}>{t("list.clear")}</Button>} />
          ) : (
            <Nothing title={t("list.none")} hint={t("list.none_hint")} />
          )}
        </div>
      ) : (
        <InstanceTable
          items={items} hidden={hidden} compact={compact} sort={search.sort ?? "-scheduled"} changeSort={(sort) => change({ ...search, sort })}
          more={list.hasNextPage} loadingMore={list.isFetchingNextPage} loadMore={() => void list.fetchNextPage()}
          selected={selection.ids} select={(ids) => setSelection((before) => pressed(before, ids))}
        />
      )}
      {selection.ids.length > 0 && <ActionBar selection={selection} change={setSelection} items={items} total={total} query={toQuery(filters)} />}
    </>
  );
}

interface Selected {
  selection: Selection;
  change: (selection: Selection) => void;
  items: readonly InstanceItem[];
  total: number | null;
  query: string;
}

/** What can be done with the selected rows, with how many they are. */
function ActionBar({ selection, change, items, total, query }: Selected) {
  const { t } = useTranslation();
  const operate = useOperate();
  const ids = new Set(selection.ids);
  const rows = items.filter(({ id }) => ids.has(id));
  const known = !selection.all && rows.length === ids.size;
  const statuses = known ? [...new Set(rows.flatMap((item) => Object.keys(item.status.nodes)))] : [];
  const marks = known ? rows.flatMap((item) => item.marks ?? []) : ["paused"];
  const count = selection.all ? (total ?? ids.size) : ids.size;
  const scope = selection.all ? { query } : { instances: [...selection.ids], object: rows.length === 1 ? `${rows[0]!.object} ${rows[0]!.data_timestamp}` : undefined };
  return (
    <div className="batch-bar" role="toolbar" aria-label={t("operate.selected", { count })}>
      <b role="status">{selection.all ? t("operate.by_filter", { count }) : t("operate.selected", { count })}</b>
      {BATCH.map((batch) => {
        const possible = eligible(batch.verb, statuses, marks);
        return (
          <Tooltip key={batch.key} title={possible ? "" : t(`not_possible.${batch.verb}`, t("not_possible.any"))}>
            <Button size="small" danger={isDangerous(batch.verb)} disabled={!possible} onClick={() => operate({ verb: batch.verb, options: batch.options, ...scope })}>{t(`batch.${batch.key}`)}</Button>
          </Tooltip>
        );
      })}
      <Dropdown trigger={["click"]} menu={{ items: OTHER.map((verb) => ({ key: verb, label: t(`verb.${verb}`), onClick: () => operate({ verb, ...scope }) })) }}>
        <Button size="small">{t("operate.more")}</Button>
      </Dropdown>
      <span className="grow" />
      {!selection.all && total !== null && total > ids.size && <Button size="small" type="link" onClick={() => change({ ids: selection.ids, all: true })}>{t("operate.select_all", { count: total })}</Button>}
      <Button size="small" type="link" onClick={() => change(NOTHING)}>{t("operate.clear")}</Button>
    </div>
  );
}

const OTHER: readonly Verb[] = ["rerun_downstream", "force_rerun_downstream", "set_resource_group"];

function FilterBar({ search, change, newest }: Props & { newest?: string | null }) {
  const { t } = useTranslation();
  const projects = useQuery(projectsQuery());
  const owners = [...new Set(projects.data?.items.flatMap((project) => project.owners) ?? [])].sort();
  const choose = (key: ListKey, label: string, options: { value: string; label: string }[]) => (
    <Select
      mode="multiple" size="middle" style={{ minWidth: 108 }} maxTagCount={0} maxTagPlaceholder={(chosen) => `${label}: ${chosen.length}`} placeholder={label} aria-label={label}
      value={search[key] ?? []} options={options} onChange={(next: string[]) => change({ ...search, [key]: next.length ? next : undefined })} allowClear
    />
  );
  const day = search.from === "any" ? null : (search.from ?? newest ?? null);
  return (
    <div className="filters" role="search">
      <Input.Search
        data-search allowClear placeholder={t("list.search")} aria-label={t("list.search")} defaultValue={search.q} key={search.q ?? ""} style={{ width: 210 }}
        onSearch={(q) => change({ ...search, q: q.trim() || undefined })}
      />
      <DatePicker
        aria-label={t("list.day")} placeholder={t("list.any_day")} value={day ? dayjs(day) : null}
        onChange={(value) => { const text = value ? value.format("YYYY-MM-DD") : "any"; change({ ...search, from: text, to: value ? text : undefined }); }}
      />
      {choose("status", t("column.status"), NODE_STATUSES.map((value) => ({ value, label: t(`status.${value}`) })))}
      {choose("project", t("column.project"), (projects.data?.items ?? []).map(({ name }) => ({ value: name, label: name })))}
      {choose("owner", t("column.owner"), owners.map((value) => ({ value, label: value })))}
      {choose("period", t("column.period"), PERIODS.map((value) => ({ value, label: t(`period.${value}`) })))}
      {choose("priority", t("column.priority"), PRIORITIES.map((value) => ({ value, label: t(`priority.${value}`) })))}
      {(search.kind ?? "modeling") === "modeling" && choose("table_kind", t("column.kind"), TABLE_KINDS.map((value) => ({ value, label: t(`table_kind.${value}`) })))}
    </div>
  );
}

function Pills({ search, change }: Props) {
  const { t } = useTranslation();
  const active = pills(search);
  const words = ({ key, value }: Pill) => {
    if (key === "q") return `“${value}”`;
    if (["status", "priority", "period", "table_kind"].includes(key)) return t(`${key}.${value}`, value);
    return value;
  };
  return (
    <>
      {active.map((pill) => (
        <Tag key={`${pill.key}:${pill.value}`} closable onClose={(event) => { event.preventDefault(); change(withoutPill(search, pill)); }}>{words(pill)}</Tag>
      ))}
      {active.length > 1 && <Button type="link" size="small" onClick={() => change({ kind: search.kind, sort: search.sort, from: search.from, to: search.to })}>{t("list.clear")}</Button>}
    </>
  );
}
