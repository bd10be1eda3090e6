/** The choices of each verb, and only those. */
import { useQueries, useQuery } from "@tanstack/react-query";
import { Checkbox, DatePicker, Radio, Select, type RadioChangeEvent } from "antd";
import dayjs from "dayjs";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { instanceOperationsQuery, type Options } from "../../api/operations";
import { graphQuery, instanceQuery, overviewQuery } from "../../api/queries";
import { candidatesAsked, inOneHour, isDownstream, isForce, PRIORITIES, RANGES, SETS, takesFields, tomorrowMorning, type Ask, type Choices } from "../../model/verbs";
import { Counts } from "../../ui/Status";
import { Loading, Nothing, Trouble } from "../../ui/States";
import { FieldPicker } from "../../widgets/FieldPicker";
import { DescendantPicker } from "./DescendantPicker";

interface Props {
  ask: Ask;
  choices: Choices;
  change: (choices: Choices) => void;
}

function Line({ label, hint, children }: { label: string; hint?: string; children: ReactNode }) {
  return <div className="option" role="group" aria-label={label}><span className="option-label">{label}</span><div>{children}{hint && <div className="quiet">{hint}</div>}</div></div>;
}

export function OptionsForm({ ask, choices, change }: Props) {
  const { t } = useTranslation();
  const { verb, options } = choices;
  const single = ask.query === undefined && ask.instances?.length === 1 ? ask.instances[0] : undefined;
  const detail = useQuery({ ...instanceQuery(single ?? 0), enabled: single !== undefined });
  const hasFields = (detail.data?.fields.length ?? 0) > 0;
  const set = (next: Options) => change({ ...choices, options: { ...options, ...next } });
  const radios = <T extends string>(value: T | null | undefined, values: readonly T[], word: (value: T) => string, pick: (value: T) => void) => (
    <Radio.Group value={value ?? undefined} onChange={(event: RadioChangeEvent) => pick(event.target.value as T)} options={values.map((one) => ({ value: one, label: word(one) }))} />
  );

  const forceDownstream = verb === "force_rerun_downstream";
  const custom = !(forceDownstream && choices.quick);
  return (
    <div className="options">
      {forceDownstream && single !== undefined && (
        <Line label={t("options.configuration")} hint={choices.quick ? t("options.quick_hint") : undefined}>
          {radios(choices.quick ? "quick" : "custom", ["quick", "custom"] as const, (one) => t(`options.${one}`), (one) =>
            change({ ...choices, quick: one === "quick", fields: one === "quick" ? null : choices.fields, options: { ...options, range: one === "quick" ? "all" : options.range } }))}
        </Line>
      )}
      {verb === "rerun" && single === undefined && (
        <Line label={t("options.which")}>
          {radios(options.range === "all_failed" ? "all_failed" : "all_final", ["all_failed", "all_final"] as const, (one) => t(`options.rerun_${one}`), (one) => set({ range: one }))}
        </Line>
      )}
      {verb === "set_success" && (
        <Line label={t("options.set")}>
          {radios(options.set, hasFields ? SETS : SETS.slice(0, 3), (one) => t(`set.${one}`), (one) => change({ ...choices, fields: one === "custom" ? choices.fields : null, options: { ...options, set: one } }))}
        </Line>
      )}
      {single !== undefined && hasFields && takesFields(choices) && (
        <Line label={t(isDownstream(verb) ? "options.start_node" : "options.scope")}>
          {verb !== "set_success" && radios(choices.fields === null ? "table" : "fields", ["table", "fields"] as const, (one) => t(`options.${one}`), (one) => change({ ...choices, fields: one === "table" ? null : [] }))}
          {(choices.fields !== null || verb === "set_success") && <FieldPicker instance={single} verb={verb} chosen={choices.fields ?? []} change={(fields) => change({ ...choices, fields })} />}
        </Line>
      )}
      {isDownstream(verb) && (
        <>
          <Line label={t("options.start_mode")} hint={options.start_mode === "dry_run" ? t("options.dry_run_hint") : undefined}>
            {radios(options.start_mode, ["normal", "dry_run"] as const, (one) => t(`options.${one}`), (one) => set({ start_mode: one }))}
          </Line>
          {custom && (
            <Line label={t(forceDownstream ? "options.force_range" : "options.range")}>
              {radios(options.range, RANGES[verb]!, (one) => t(`range.${one}`), (one) => set({ range: one, pick: [] }))}
              {options.range === "custom" && choices.fields?.length !== 0 && (
                <DescendantPicker asked={candidatesAsked(ask, choices)} picks={options.pick ?? []} change={(pick) => set({ pick })} />
              )}
            </Line>
          )}
          <Line label={t("options.cross_day")} hint={t("options.cross_day_hint")}>
            {radios((options.cross_day ?? true) ? "yes" : "no", ["yes", "no"] as const, (one) => t(`options.${one}`), (one) => set({ cross_day: one === "yes" }))}
          </Line>
          <Line label={t("options.level")}>
            <Select
              aria-label={t("options.level")} size="small" style={{ minWidth: 150 }} value={options.level ?? 0} onChange={(level: number) => set({ level: level || null })}
              options={[{ value: 0, label: t("options.any_level") }, ...Array.from({ length: 10 }, (_, n) => ({ value: n + 1, label: t("plan.level_up_to", { level: n + 1 }) }))]}
            />
          </Line>
        </>
      )}
      {verb === "force_rerun" && (
        <Line label={t("options.descendants")}>
          <Checkbox checked={options.with_not_run_descendants} onChange={(event) => set({ with_not_run_descendants: event.target.checked })}>{t("options.with_not_run_descendants")}</Checkbox>
        </Line>
      )}
      {(verb === "rerun" || isDownstream(verb) || isForce(verb)) && (
        <Line label={t("options.sources")}>
          <Checkbox checked={options.check_sources} onChange={(event) => set({ check_sources: event.target.checked })}>{t("options.check_sources")}</Checkbox>
        </Line>
      )}
      {verb === "pause" && <Until until={options.until} change={(until) => set({ until })} />}
      {verb === "set_priority" && <Line label={t("column.priority")}>{radios(options.priority, PRIORITIES, (one) => t(`priority.${one}`), (priority) => set({ priority }))}</Line>}
      {verb === "set_resource_group" && <Group value={options.resource_group} current={detail.data?.resource_group} change={(resource_group) => set({ resource_group })} />}
      {(verb === "remove_upstream" || verb === "restore_upstream") && single !== undefined && <Upstream instance={single} restore={verb === "restore_upstream"} chosen={options.upstream ?? []} change={(upstream) => set({ upstream })} />}
      {(verb === "remove_upstream" || verb === "restore_upstream") && single === undefined && <Nothing title={t("options.one_instance_only")} />}
    </div>
  );
}

type UntilKind = "resumed" | "hour" | "morning" | "date";

function Until({ until, change }: { until: string | null | undefined; change: (until: string | null) => void }) {
  const { t } = useTranslation();
  const [kind, setKind] = useState<UntilKind>("resumed");
  const pick = (next: UntilKind) => {
    setKind(next);
    const now = new Date();
    change(next === "resumed" ? null : next === "hour" ? inOneHour(now).toISOString() : next === "morning" ? tomorrowMorning(now).toISOString() : "");
  };
  return (
    <Line label={t("until.label")} hint={t("until.hint")}>
      <Radio.Group value={kind} onChange={(event: RadioChangeEvent) => pick(event.target.value as UntilKind)} options={(["resumed", "hour", "morning", "date"] as const).map((one) => ({ value: one, label: t(`until.${one}`) }))} />
      {kind === "date" && (
        <DatePicker
          showTime={{ format: "HH:mm" }} format="YYYY-MM-DD HH:mm" aria-label={t("until.date")} value={until ? dayjs(until) : null} style={{ marginTop: 6 }}
          disabledDate={(day) => day.isBefore(dayjs().startOf("day"))} onChange={(value) => change(value ? value.toISOString() : "")}
        />
      )}
    </Line>
  );
}

function Group({ value, current, change }: { value: string | null | undefined; current?: string; change: (group: string) => void }) {
  const { t } = useTranslation();
  const overview = useQuery(overviewQuery());
  const names = [...new Set([...(overview.data?.slots ?? []).map((group) => String(group.name)), ...(current ? [current] : [])])].sort();
  return (
    <Line label={t("options.resource_group")} hint={current ? t("options.now", { value: current }) : undefined}>
      <Select style={{ minWidth: 220 }} aria-label={t("options.resource_group")} placeholder={t("options.resource_group")} loading={overview.isPending} value={value ?? undefined} onChange={change} options={names.map((name) => ({ value: name, label: name }))} />
    </Line>
  );
}

interface UpstreamProps {
  instance: number;
  restore: boolean;
  chosen: number[];
  change: (upstream: number[]) => void;
}

/** Direct upstream instances to be removed, or the removed ones to be restored: those the log of this instance names. */
function Upstream({ instance, restore, chosen, change }: UpstreamProps) {
  const { t } = useTranslation();
  const graph = useQuery({ ...graphQuery(instance, 1, 0), enabled: !restore });
  const log = useQuery({ ...instanceOperationsQuery(instance), enabled: restore });
  const removed = [...new Set((log.data?.items ?? []).filter(({ verb }) => verb === "remove_upstream").flatMap(({ options }) => (Array.isArray(options?.upstream) ? options.upstream.map(Number) : [])))];
  const known = useQueries({ queries: removed.map((id) => instanceQuery(id)) });
  const query = restore ? log : graph;
  if (query.isPending) return <Loading rows={3} />;
  if (query.isError) return <Trouble error={query.error} retry={() => void query.refetch()} />;
  const found = restore
    ? removed.map((id, n) => ({ id, object: known[n]?.data?.object ?? t("instance.id", { id }), data_timestamp: known[n]?.data?.data_timestamp ?? "", nodes: known[n]?.data?.status.nodes ?? {} }))
    : (graph.data?.nodes ?? []).filter((node) => node.id && node.id !== instance).map((node) => ({ ...node, nodes: node.status.nodes }));
  return (
    <Line label={t("options.upstream")} hint={restore ? undefined : t("options.upstream_hint")}>
      {found.length === 0 ? (
        <span className="quiet">{t(restore ? "options.none_removed" : "options.no_upstream")}</span>
      ) : (
        <Checkbox.Group value={chosen} onChange={(next) => change(next as number[])} className="column">
          {found.map((node) => (
            <Checkbox key={node.id} value={node.id}><b>{node.object}</b> <span className="quiet numeric">{node.data_timestamp}</span> <Counts counts={node.nodes} /></Checkbox>
          ))}
        </Checkbox.Group>
      )}
    </Line>
  );
}
