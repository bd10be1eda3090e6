/** One instance: its graph, fields, runs and log, code and lineage. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Button, Tabs, Tooltip, Typography } from "antd";
import { useTranslation } from "react-i18next";
import { instanceQuery } from "../../api/queries";
import type { InstanceDetail } from "../../api/client";
import { showDuration } from "../../model/time";
import { Instant } from "../../ui/Instant";
import { Counts, Marks } from "../../ui/Status";
import { Loading, Trouble } from "../../ui/States";
import { MenuButton, useVerbMenu } from "../../widgets/VerbMenu";
import { useOperate } from "../../widgets/operate";
import { eligible, type Verb } from "../../model/verbs";
import { LineagePanel } from "../../widgets/LineagePanel";
import { CodeTab } from "./CodeTab";
import { FieldsTab } from "./FieldsTab";
import { GraphTab } from "./GraphTab";
import { OperationsTab } from "./OperationsTab";
import { RunsTab } from "./RunsTab";

export const INSTANCE_TABS = ["graph", "fields", "runs", "code", "lineage", "operations"] as const;
export type InstanceTab = (typeof INSTANCE_TABS)[number];

interface Props {
  id: number;
  tab: InstanceTab;
  field?: string;
  run?: number;
  operation?: number;
  change: (next: { tab?: InstanceTab; field?: string; run?: number; operation?: number }) => void;
}

export function InstancePage({ id, tab, field, run, operation, change }: Props) {
  const { t } = useTranslation();
  const query = useQuery(instanceQuery(id));
  if (query.isPending) return <Loading rows={8} />;
  if (query.isError) return <Trouble error={query.error} retry={() => void query.refetch()} />;
  const instance = query.data;
  const hasFields = instance.fields.length > 0;
  const content = {
    graph: <GraphTab instance={instance} />,
    fields: <FieldsTab instance={instance} openLineage={(name) => change({ tab: "lineage", field: name })} open={(next) => change({ tab: next })} />,
    runs: <RunsTab instance={instance} run={run} choose={(next) => change({ run: next })} />,
    code: <CodeTab instance={instance} />,
    operations: <OperationsTab id={id} operation={operation} open={(next) => change({ operation: next })} />,
    lineage: (
      <LineagePanel
        table={instance.object} fields={instance.fields.map(({ field: name }) => name)} data={instance.data_timestamp}
        field={field ?? instance.fields.find((one) => !one.key)?.field ?? instance.fields[0]?.field} choose={(name) => change({ field: name })}
      />
    ),
  };
  return (
    <>
      <Head instance={instance} />
      <Tabs
        activeKey={hasFields || tab !== "lineage" ? tab : "graph"} onChange={(next) => change({ tab: next as InstanceTab })} destroyOnHidden
        items={INSTANCE_TABS.filter((key) => hasFields || key !== "lineage").map((key) => ({ key, label: t(`instance.${key}`), children: content[key] }))}
      />
    </>
  );
}

function Head({ instance }: { instance: InstanceDetail }) {
  const { t } = useTranslation();
  return (
    <header style={{ marginBottom: 6 }}>
      <Link to="/instances" search={{ kind: instance.kind }} className="quiet">← {t("instance.back")}</Link>
      <div className="page-head" style={{ margin: "4px 0 2px" }}>
        <h1>{instance.object}</h1>
        <Typography.Text className="mono quiet" copyable={{ text: String(instance.id), tooltips: [t("instance.copy"), t("instance.copied")] }}>{t("instance.id", { id: instance.id })}</Typography.Text>
        <Marks marks={instance.marks ?? []} />
        <Verbs instance={instance} />
      </div>
      {instance.description && <div className="quiet">{instance.description}</div>}
      <div className="page-head" style={{ margin: "8px 0 4px", gap: "6px 22px" }}>
        {instance.kind === "modeling" && <span><span className="quiet">{t("column.fields")}</span> <Counts counts={instance.status.fields} words /></span>}
        <span><span className="quiet">{t("column.nodes")}</span> <Counts counts={instance.status.nodes} words /></span>
        <span><span className="quiet">{t("column.data_timestamp")}</span> <span className="numeric">{instance.data_timestamp}</span></span>
        <span><span className="quiet">{t("column.scheduled")}</span> <Instant at={instance.scheduled_at} zone={instance.timezone} /></span>
        <span><span className="quiet">{t("column.start")}</span> <Instant at={instance.start} zone={instance.timezone} /></span>
        <span><span className="quiet">{t("column.end")}</span> <Instant at={instance.end} zone={instance.timezone} /></span>
        <span><span className="quiet">{t("column.run_time")}</span> <span className="numeric">{instance.run_seconds == null ? "–" : showDuration(instance.run_seconds)}</span></span>
        <span><span className="quiet">{t("column.owner")}</span> {(instance.owners ?? []).join(", ") || "–"}</span>
        <span><span className="quiet">{t("column.priority")}</span> {(instance.priorities ?? []).map((word) => t(`priority.${word}`, word)).join(", ") || "–"}</span>
      </div>
    </header>
  );
}

const AT_HAND: readonly Verb[] = ["rerun", "rerun_downstream", "stop"];

function Verbs({ instance }: { instance: InstanceDetail }) {
  const { t } = useTranslation();
  const operate = useOperate();
  const menu = useVerbMenu();
  const statuses = Object.keys(instance.status.nodes);
  const object = `${instance.object} ${instance.data_timestamp}`;
  const target = { ...instance, statuses, fields: undefined };
  return (
    <span className="verbs">
      {AT_HAND.map((verb) => {
        const possible = eligible(verb, statuses, instance.marks);
        return (
          <Tooltip key={verb} title={possible ? t(`help.${verb}`) : t(`not_possible.${verb}`, t("not_possible.any"))}>
            <Button size="small" disabled={!possible} onClick={() => operate({ verb, instances: [instance.id], object })}>{t(`verb.${verb}`)}</Button>
          </Tooltip>
        );
      })}
      <MenuButton items={menu(target)}>{t("operate.more")}</MenuButton>
    </span>
  );
}
