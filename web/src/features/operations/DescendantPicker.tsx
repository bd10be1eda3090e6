/** The instances below the start, by level, each open to its fields: which of them go along. */
import { useQuery } from "@tanstack/react-query";
import { Checkbox, Input, Select, Table } from "antd";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { askPlan, type Picked, type PlanAsked } from "../../api/operations";
import { tablesQuery } from "../../api/queries";
import { candidates, picksOf, projectOf, tickedOf, type Candidate } from "../../model/plan";
import { StatusOrText } from "../../ui/Moved";
import { Loading, Nothing, Trouble } from "../../ui/States";

interface Props {
  asked: PlanAsked;
  picks: readonly Picked[];
  change: (picks: Picked[]) => void;
}

interface Row {
  key: string;
  candidate?: Candidate;
  field?: Candidate["fields"][number];
  children?: Row[];
}

export function DescendantPicker({ asked, picks, change }: Props) {
  const { t } = useTranslation();
  const query = useQuery({ queryKey: ["candidates", asked], queryFn: () => askPlan(asked), gcTime: 0, staleTime: 60_000 });
  const tables = useQuery(tablesQuery());
  const [text, setText] = useState("");
  const [status, setStatus] = useState<string>();
  const [level, setLevel] = useState<number>();
  const [owner, setOwner] = useState<string>();
  const [project, setProject] = useState<string>();
  const [requiredFirst, setRequiredFirst] = useState(true);
  const owners = useMemo(() => new Map((tables.data?.items ?? []).map((one) => [one.table, one.owner])), [tables.data]);
  const all = useMemo(() => (query.data ? candidates(query.data) : []), [query.data]);
  const shown = useMemo(() => {
    const find = text.trim().toLowerCase();
    return all
      .filter((one) => !find || one.table.toLowerCase().includes(find) || String(one.instance) === find || one.fields.some(({ field }) => field.toLowerCase().includes(find)))
      .filter((one) => (!status || one.statuses.includes(status)) && (!level || one.level <= level) && (!owner || owners.get(one.table) === owner) && (!project || projectOf(one.table) === project))
      .sort((a, b) => (requiredFirst ? Number(b.required) - Number(a.required) : 0));
  }, [all, text, status, level, owner, project, owners, requiredFirst]);
  if (query.isPending) return <Loading rows={4} />;
  if (query.isError) return <Trouble error={query.error} retry={() => void query.refetch()} />;
  if (all.length === 0) return <Nothing title={t("plan.no_descendants")} />;

  const rows: Row[] = shown.map((candidate) => ({
    key: candidate.key, candidate,
    children: candidate.fields.length ? candidate.fields.map((field) => ({ key: field.key, field })) : undefined,
  }));
  const ticked = tickedOf(picks, all);
  const hidden = ticked.filter((key) => !shown.some((one) => one.key === key || one.fields.some((field) => field.key === key)));
  const facet = <T extends string | number>(label: string, value: T | undefined, values: T[], word: (value: T) => string, set: (value: T | undefined) => void) =>
    values.length > 1 && <Select allowClear size="small" style={{ minWidth: 110 }} placeholder={label} aria-label={label} value={value} onChange={(next: T | undefined) => set(next)} options={values.map((one) => ({ value: one, label: word(one) }))} popupMatchSelectWidth={false} />;
  const distinct = <T,>(values: T[]) => [...new Set(values)].sort();
  return (
    <div className="picker">
      <div className="filters" role="search">
        <Input allowClear size="small" style={{ width: 190 }} placeholder={t("plan.find")} aria-label={t("picker.find_descendant")} value={text} onChange={(event) => setText(event.target.value)} />
        {facet(t("column.status"), status, distinct(all.flatMap((one) => one.statuses)), (word) => t(`status.${word}`, word), setStatus)}
        {facet(t("graph.level"), level, distinct(all.map((one) => one.level)), (one) => t("plan.level_up_to", { level: one }), setLevel)}
        {facet(t("column.project"), project, distinct(all.map((one) => projectOf(one.table))), String, setProject)}
        {facet(t("column.owner"), owner, distinct(all.flatMap((one) => owners.get(one.table) ?? [])), String, setOwner)}
        <Checkbox checked={requiredFirst} onChange={(event) => setRequiredFirst(event.target.checked)}>{t("picker.required_first")}</Checkbox>
        <span className="grow" /><span className="quiet" role="status">{t("picker.instances_chosen", { count: picks.length })}</span>
      </div>
      <Table<Row>
        size="small" rowKey="key" pagination={false} dataSource={rows} scroll={{ y: 240 }}
        rowSelection={{ checkStrictly: false, selectedRowKeys: ticked, onChange: (keys) => change(picksOf([...keys.map(String), ...hidden], all)), preserveSelectedRowKeys: true }}
        columns={[
          {
            key: "name", title: t("column.object"),
            render: (_, { candidate, field }) =>
              candidate ? <><b>{candidate.table}</b> <span className="quiet numeric">{candidate.data_timestamp}</span></> : <span className="mono">{field?.field}{field?.required && <span className="chip key" style={{ marginLeft: 6 }}>{t("picker.required")}</span>}</span>,
          },
          { key: "level", title: t("graph.level"), width: 80, className: "numeric", render: (_, { candidate }) => candidate?.level },
          { key: "status", title: t("column.status"), width: 200, render: (_, { candidate, field }) => (candidate ? candidate.statuses.map((word) => <div key={word}><StatusOrText word={word} /></div>) : <StatusOrText word={field?.status ?? ""} />) },
          { key: "owner", title: t("column.owner"), width: 120, render: (_, { candidate }) => candidate && owners.get(candidate.table) },
        ]}
      />
    </div>
  );
}
