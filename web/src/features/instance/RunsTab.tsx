/** The runs of an instance on the left, the chosen run's log on the right, live while it runs. */
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { InstanceDetail, RunItem } from "../../api/client";
import { runsQuery } from "../../api/queries";
import { showDuration } from "../../model/time";
import type { AnyStatus } from "../../model/status";
import { Instant } from "../../ui/Instant";
import { StatusIcon } from "../../ui/Status";
import { Loading, Nothing, Trouble } from "../../ui/States";
import { LogView } from "../../widgets/LogView";

const LOOK: Record<RunItem["outcome"], AnyStatus> = {
  running: "running", succeeded: "succeeded", failed: "failed", timed_out: "failed", stopped: "failed", lost: "failed",
};

interface Props {
  instance: InstanceDetail;
  run?: number;
  choose: (run: number) => void;
}

export function RunsTab({ instance, run, choose }: Props) {
  const { t } = useTranslation();
  const query = useQuery(runsQuery(instance.id));
  if (query.isPending) return <Loading />;
  if (query.isError) return <Trouble error={query.error} retry={() => void query.refetch()} />;
  const runs = query.data.items;
  if (runs.length === 0) return <div className="panel"><Nothing title={t("runs.none")} hint={t("runs.none_hint")} /></div>;
  const chosen = runs.find(({ id }) => id === run) ?? runs[0]!;
  return (
    <div className="split">
      <div className="panel" style={{ padding: 6, maxHeight: "70vh", overflow: "auto" }}>
        {runs.map((one) => (
          <button key={one.id} type="button" className={`run-row ${one.id === chosen.id ? "chosen" : ""}`} aria-pressed={one.id === chosen.id} onClick={() => choose(one.id)}>
            <span style={{ display: "flex", gap: 8, alignItems: "center" }}>
              <StatusIcon status={LOOK[one.outcome]} />
              <b>{one.label || one.node.split("/").at(-1)}</b>
              <span>{t("runs.number", { number: one.number })}</span>
              <span className="chip">{t(`run_kind.${one.kind}`, one.kind)}</span>
              <span className="numeric quiet" style={{ marginLeft: "auto" }}>{one.run_seconds == null ? "" : showDuration(one.run_seconds)}</span>
            </span>
            <span className="quiet" style={{ fontSize: 12 }}>
              <Instant at={one.start} zone={instance.timezone} /> · {t(`outcome.${one.outcome}`)}{one.rows != null && ` · ${one.rows} ${t("column.rows").toLowerCase()}`}
            </span>
            {one.message && <span style={{ fontSize: 12, color: one.outcome === "succeeded" ? undefined : "var(--status-failed)" }}>{one.message}</span>}
          </button>
        ))}
      </div>
      <div className="panel">
        <div className="page-head" style={{ marginBottom: 8 }}>
          <b>{chosen.label} {t("runs.number", { number: chosen.number })}</b>
          <span className="quiet">{t("runs.attempt", { attempt: chosen.attempt })}</span>
          <span className="quiet">{t("runs.version", { version: chosen.version })}</span>
          {(chosen.fused_with ?? []).length > 0 && <span className="quiet">{t("runs.fused", { nodes: chosen.fused_with!.join(", ") })}</span>}
        </div>
        <LogView key={chosen.id} run={chosen.id} running={chosen.outcome === "running"} />
      </div>
    </div>
  );
}
