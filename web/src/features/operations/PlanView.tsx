/** A plan: what must go along and why, what it touches and costs, each step, and what is left out. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Alert, Button, Checkbox, Collapse, Input, Select, Table, Tag } from "antd";
import type { ColumnsType } from "antd/es/table";
import { useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Plan, Skipped, Step } from "../../api/operations";
import { tablesQuery } from "../../api/queries";
import { filterSteps, groupRequired, stepFacets, type StepFilter } from "../../model/plan";
import { showDuration } from "../../model/time";
import { asVerb, type Verb } from "../../model/verbs";
import { Instant } from "../../ui/Instant";
import { Moved, StatusOrText } from "../../ui/Moved";

interface Props {
  plan: Plan;
  sawRequired: () => void;
  instead?: (verb: Verb, skipped: Skipped) => void;
}

export function PlanView({ plan, sawRequired, instead }: Props) {
  const { t } = useTranslation();
  const older = plan.older_than_input ?? [];
  const ancestors = plan.ancestors_not_succeeded ?? [];
  const steps = plan.steps.length > 0 ? [{ key: "steps", label: t("plan.steps", { count: plan.steps.length }), children: <Steps plan={plan} /> }] : [];
  return (
    <div className="plan">
      <RequiredFields key={plan.hash} plan={plan} seen={sawRequired} />
      {plan.conflicts.length > 0 && (
        <Alert type="error" showIcon title={t("plan.conflicts", { count: plan.conflicts.length })} description={<ul className="plain">{plan.conflicts.map((one, n) => <li key={n}><b>{one.object}</b> {one.message}</li>)}</ul>} />
      )}
      <ImpactStrip plan={plan} />
      <Collapse
        ghost size="small" defaultActiveKey={["steps", "skipped"]} className="plan-lists"
        items={[
          ...steps,
          ...(plan.skipped.length ? [{ key: "skipped", label: t("plan.skipped", { count: plan.skipped.length }), children: <SkippedList skipped={plan.skipped} instead={instead} /> }] : []),
          ...(older.length ? [{
            key: "older", label: t("plan.older", { count: older.length }),
            children: <ul className="plain">{older.map((one) => <li key={one.instance}><ObjectLink {...one} /> <span className="quiet">{one.fields.join(", ")}</span></li>)}</ul>,
          }] : []),
          ...(ancestors.length ? [{
            key: "ancestors", label: t("plan.ancestors", { count: ancestors.length }),
            children: <ul className="plain">{ancestors.map((one) => <li key={one.instance}><ObjectLink {...one} /> <StatusOrText word={one.status} /></li>)}</ul>,
          }] : []),
        ]}
      />
    </div>
  );
}

function ObjectLink({ instance, object, data_timestamp }: { instance: number; object: string; data_timestamp: string }) {
  return <><Link to="/instances/$id" params={{ id: String(instance) }} target="_blank">{object}</Link> <span className="quiet numeric">{data_timestamp}</span></>;
}

function RequiredFields({ plan, seen }: { plan: Plan; seen: () => void }) {
  const { t } = useTranslation();
  const groups = useMemo(() => groupRequired(plan.required), [plan.required]);
  const end = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    if (!end.current) return;
    const watch = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && seen());
    watch.observe(end.current);
    return () => watch.disconnect();
  }, [seen]);
  if (groups.length === 0) return null;
  return (
    <section className="required-fields" aria-label={t("plan.required", { count: plan.required.length })}>
      <h3>{t("plan.required", { count: plan.required.length })}</h3>
      <div className="required-list">
        {groups.map((group) => (
          <div key={group.key}>
            <div><b>{group.table}</b> <span className="quiet numeric">{group.data_timestamp}</span></div>
            <ul className="plain">
              {group.items.map((item) => (
                <li key={item.field}><b className="mono">{item.field}</b> <Tag>{t(`cause.${item.cause}`, item.cause)}</Tag><span>{item.because}</span></li>
              ))}
            </ul>
          </div>
        ))}
      </div>
      <span ref={end} aria-hidden className="sentinel" />
    </section>
  );
}

function ImpactStrip({ plan: { impact } }: { plan: Plan }) {
  const { t } = useTranslation();
  const figures: [string, string | number][] = [
    [t("impact.node_instances"), impact.node_instances],
    [t("impact.fields"), impact.fields],
    [t("impact.tables"), impact.tables],
    [t("impact.running_stopped"), impact.running_stopped],
    [t("impact.engine_seconds"), impact.engine_seconds == null ? t("impact.unknown") : showDuration(impact.engine_seconds)],
  ];
  return (
    <section className="impact" aria-label={t("impact.title")}>
      {figures.map(([label, value]) => <div key={label}><b className="numeric">{value}</b><span>{label}</span></div>)}
      <div><b>{impact.finish_at ? <Instant at={impact.finish_at} /> : t("impact.unknown")}</b><span>{t("impact.finish_at")}</span></div>
      <div><b>{impact.projects.join(", ") || "–"}</b><span>{t("column.project")}</span></div>
      <div><b>{impact.owners.join(", ") || "–"}</b><span>{t("column.owner")}</span></div>
      {(impact.baselines ?? []).map((one) => <div key={one.name}><b>{one.breaks ? t("impact.breaks", { name: one.name }) : one.name}</b><span>{t("impact.slips", { minutes: one.slip_minutes })}</span></div>)}
    </section>
  );
}

function SkippedList({ skipped, instead }: { skipped: Skipped[]; instead?: Props["instead"] }) {
  const { t } = useTranslation();
  const [all, setAll] = useState(false);
  const shown = all ? skipped : skipped.slice(0, 20);
  return (
    <>
      <ul className="plain">
        {shown.map((one, n) => {
          const verb = asVerb(one.instead);
          return (
            <li key={n}>
              <b>{one.object}</b> {one.message}{" "}
              {verb && instead && <Button type="link" size="small" style={{ padding: 0, height: "auto" }} onClick={() => instead(verb, one)}>{t("plan.instead", { verb: t(`verb.${verb}`) })}</Button>}
            </li>
          );
        })}
      </ul>
      {shown.length < skipped.length && <Button size="small" type="link" onClick={() => setAll(true)}>{t("plan.show_all", { count: skipped.length })}</Button>}
    </>
  );
}

function Steps({ plan }: { plan: Plan }) {
  const { t } = useTranslation();
  const [filter, setFilter] = useState<StepFilter>({ requiredFirst: true });
  const tables = useQuery(tablesQuery());
  const owners = useMemo(() => new Map((tables.data?.items ?? []).map((one) => [one.table, one.owner])), [tables.data]);
  const facets = useMemo(() => stepFacets(plan.steps), [plan.steps]);
  const shown = useMemo(() => filterSteps(plan, filter, owners), [plan, filter, owners]);
  const ownerWords = useMemo(() => [...new Set(plan.steps.map(({ table }) => owners.get(table)).filter((owner): owner is string => Boolean(owner)))].sort(), [plan.steps, owners]);
  const columns: ColumnsType<Step> = [
    { key: "level", title: t("graph.level"), width: 64, className: "numeric", dataIndex: "level" },
    { key: "table", title: t("column.table"), width: 230, ellipsis: true, render: (_, step) => <ObjectLink instance={step.instance} object={step.table} data_timestamp={step.data_timestamp} /> },
    { key: "node", title: t("column.node"), width: 70, ellipsis: true, render: (_, step) => <span title={step.node}>{step.label || step.node.split("/").at(-1)}</span> },
    { key: "fields", title: t("column.fields"), width: 190, ellipsis: true, render: (_, step) => <span title={step.fields.join(", ")}>{step.fields.join(", ")}</span> },
    { key: "action", title: t("plan.action"), width: 96, render: (_, step) => t(`action.${step.action}`, step.action) },
    { key: "moved", title: t("column.status"), width: 290, render: (_, step) => <Moved from={step.from} to={step.to} /> },
  ];
  const choose = <T extends string | number>(label: string, value: T | undefined, options: { value: T; label: string }[], change: (value: T | undefined) => void) =>
    options.length > 1 && <Select allowClear size="small" style={{ minWidth: 110 }} placeholder={label} aria-label={label} value={value} options={options} onChange={(next: T | undefined) => change(next)} popupMatchSelectWidth={false} />;
  return (
    <>
      {plan.steps.length > 1 && (
        <div className="filters" role="search">
          <Input allowClear size="small" style={{ width: 180 }} placeholder={t("plan.find")} aria-label={t("plan.find")} value={filter.text} onChange={(event) => setFilter({ ...filter, text: event.target.value })} />
          {choose(t("column.status"), filter.status, facets.statuses.map((value) => ({ value, label: t(`status.${value}`, value) })), (status) => setFilter({ ...filter, status }))}
          {choose(t("column.project"), filter.project, facets.projects.map((value) => ({ value, label: value })), (project) => setFilter({ ...filter, project }))}
          {choose(t("column.owner"), filter.owner, ownerWords.map((value) => ({ value, label: value })), (owner) => setFilter({ ...filter, owner }))}
          {choose(t("graph.level"), filter.level, facets.levels.map((value) => ({ value, label: t("plan.level", { level: value }) })), (level) => setFilter({ ...filter, level }))}
          <Checkbox checked={filter.requiredFirst} onChange={(event) => setFilter({ ...filter, requiredFirst: event.target.checked })}>{t("picker.required_first")}</Checkbox>
          <span className="grow" /><span className="quiet">{shown.length} / {plan.steps.length}</span>
        </div>
      )}
      <Table<Step> rowKey={(step) => `${step.node_instance}-${step.action}`} size="small" columns={columns} dataSource={shown} pagination={false} virtual={shown.length > 40} scroll={{ x: 940, y: shown.length > 8 ? 300 : undefined }} />
    </>
  );
}
