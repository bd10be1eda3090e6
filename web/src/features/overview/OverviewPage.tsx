/** The first page: how the newest day stands, the last seven, and what needs a look. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Button, Progress } from "antd";
import { useTranslation } from "react-i18next";
import { overviewQuery, projectsQuery } from "../../api/queries";
import type { Schemas } from "../../api/client";
import { showDuration } from "../../model/time";
import { Counts, CountsBar } from "../../ui/Status";
import { Loading, Nothing, Trouble } from "../../ui/States";

const sum = (counts: Record<string, number>) => Object.values(counts).reduce((a, b) => a + b, 0);

export function OverviewPage() {
  const { t } = useTranslation();
  const overview = useQuery(overviewQuery());
  const projects = useQuery(projectsQuery());
  if (overview.isPending) return <Loading rows={10} />;
  if (overview.isError) return <Trouble error={overview.error} retry={() => void overview.refetch()} />;
  const data = overview.data;
  return (
    <>
      <header className="page-head">
        <h1>{t("overview.title")}</h1>
        {data.data_timestamp && <span className="quiet">{t("overview.day", { day: data.data_timestamp })}</span>}
        {projects.data?.items.map((project) => (
          <Link key={project.name} to="/instances" search={{ project: [project.name] }} className="chip">
            {project.name}{project.display_name && project.display_name !== project.name && ` (${project.display_name})`}
          </Link>
        ))}
      </header>
      {data.data_timestamp === null ? (
        <div className="panel"><Nothing title={t("overview.empty")} hint={t("overview.empty_hint")} /></div>
      ) : (
        <Filled data={data} />
      )}
    </>
  );
}

function Filled({ data }: { data: Schemas["Overview"] }) {
  const { t } = useTranslation();
  return (
    <>
      <div className="cards">
        <section className="panel">
          <h2>{t("overview.nodes_by_status")}</h2>
          <p className="big">{sum(data.nodes)} <span className="quiet" style={{ fontSize: 14 }}>{t("overview.nodes")}</span></p>
          <CountsBar counts={data.nodes} />
          <p><Counts counts={data.nodes} words /></p>
        </section>
        <section className="panel">
          <h2>{t("overview.fields_by_status")}</h2>
          <p className="big">{sum(data.fields)} <span className="quiet" style={{ fontSize: 14 }}>{t("overview.fields")}</span></p>
          <CountsBar counts={data.fields} />
          <p><Counts counts={data.fields} words /></p>
        </section>
        <section className="panel">
          <h2>{t("overview.slots")}</h2>
          {data.slots.length === 0 && <span className="quiet">–</span>}
          {data.slots.map((group) => (
            <div key={String(group.name)}>
              <span>{String(group.name)}</span>{" "}
              <span className="quiet numeric">{String(group.used)} / {String(group.slots)}</span>
              <Progress percent={Math.round((100 * Number(group.used)) / Math.max(1, Number(group.slots)))} size="small" showInfo={false} aria-label={String(group.name)} />
            </div>
          ))}
        </section>
      </div>
      <section className="panel" style={{ marginBottom: 14 }}>
        <h2>{t("overview.last_days")}</h2>
        <div style={{ display: "grid", gap: 8 }}>
          {data.days.map((day) => (
            <div key={day.data_timestamp} style={{ display: "grid", gridTemplateColumns: "110px 1fr minmax(150px, auto) auto", gap: 14, alignItems: "center" }}>
              <Link className="numeric" to="/instances" search={{ kind: "all", from: day.data_timestamp, to: day.data_timestamp }}>{day.data_timestamp}</Link>
              <CountsBar counts={day.nodes} />
              <Counts counts={day.nodes} />
              <span className="quiet numeric">{day.instances} {t("overview.instances")}</span>
            </div>
          ))}
        </div>
      </section>
      <div className="cards">
        <ShortList title={t("overview.failed")} none={t("overview.nothing_failed")} items={data.failed} status="failed" />
        <ShortList title={t("overview.running")} none={t("overview.nothing_running")} items={data.running} status="running" />
        <ShortList title={t("overview.waiting")} none={t("overview.nothing_waiting")} items={data.waiting} />
      </div>
    </>
  );
}

function ShortList({ title, none, items, status }: { title: string; none: string; items: Schemas["OverviewItem"][]; status?: string }) {
  const { t } = useTranslation();
  return (
    <section className="panel">
      <h2>{title}</h2>
      {items.length === 0 && <span className="quiet">{none}</span>}
      {items.map((item) => (
        <div key={item.id} className="object" style={{ padding: "4px 0" }}>
          <Link to="/instances/$id" params={{ id: String(item.id) }}>{item.object}</Link>
          <small><span className="numeric">{item.data_timestamp}</span>{item.seconds != null && <span>{showDuration(item.seconds)}</span>}<span>{item.text}</span></small>
        </div>
      ))}
      {status && items.length > 0 && (
        <Link to="/instances" search={{ kind: "all", status: [status], from: "any" }}><Button size="small" type="link" style={{ padding: 0 }}>{t("overview.open")}</Button></Link>
      )}
    </section>
  );
}
