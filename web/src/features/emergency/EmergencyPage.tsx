/** Force rerun downstream across projects: three steps, each locked once it is confirmed. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Alert, Button, Checkbox, Input, Modal, Radio, Result, Steps, Tooltip, type RadioChangeEvent } from "antd";
import { ArrowLeftOutlined, ArrowRightOutlined, LockOutlined } from "@ant-design/icons";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Problem } from "../../api/client";
import { beginDraft, sendBasic, sendProjects, submitDraft, type Draft, type DraftImpact, type DraftProject, type DraftProjects } from "../../api/operations";
import { instanceQuery } from "../../api/queries";
import { Instant } from "../../ui/Instant";
import { Loading, Trouble } from "../../ui/States";

export function EmergencyPage({ instance }: { instance: number }) {
  const { t } = useTranslation();
  /** A draft lives as long as the page: a locked one is never opened again. */
  const draft = useQuery({ queryKey: ["draft", instance], queryFn: () => beginDraft(instance), staleTime: Infinity, gcTime: 0, retry: false, refetchOnMount: false });
  return (
    <>
      <Link to="/instances/$id" params={{ id: String(instance) }} className="quiet">← {t("emergency.back")}</Link>
      <header className="page-head" style={{ marginTop: 4 }}><h1>{t("emergency.title")}</h1></header>
      {draft.isPending ? <Loading rows={6} /> : draft.isError ? <div className="panel"><Trouble error={draft.error} retry={() => void draft.refetch()} /></div> : <Wizard key={draft.data.id} draft={draft.data} again={() => void draft.refetch()} />}
    </>
  );
}

/** What went wrong; a draft whose plan is stale or gone can only be begun again. */
function Failed({ error, again }: { error: unknown; again: () => void }) {
  const { t } = useTranslation();
  if (!error) return null;
  const difference = error instanceof Problem && Array.isArray(error.body.difference) ? (error.body.difference as string[]) : [];
  const over = error instanceof Problem && [404, 409, 410].includes(error.status);
  if (over)
    return (
      <Alert
        type="error" showIcon title={error.message} style={{ marginTop: 12 }} action={<Button size="small" onClick={again}>{t("emergency.again")}</Button>}
        description={difference.length > 0 ? <ul className="plain">{difference.map((sentence) => <li key={sentence}>{sentence}</li>)}</ul> : error.hint || undefined}
      />
    );
  return <Alert type="error" showIcon title={error instanceof Error ? error.message : String(error)} description={error instanceof Problem ? error.hint || undefined : undefined} style={{ marginTop: 12 }} />;
}

function Row({ label, children }: { label: string; children: ReactNode }) {
  return <div className="option"><span className="option-label">{label}</span><div>{children}</div></div>;
}

function Wizard({ draft, again }: { draft: Draft; again: () => void }) {
  const { t } = useTranslation();
  const [holder, contextHolder] = Modal.useModal();
  const queries = useQueryClient();
  const subject = useQuery(instanceQuery(draft.instance));
  const [start, setStart] = useState<"self" | "children">("self");
  const [crossDay, setCrossDay] = useState(true);
  const [selected, setSelected] = useState<string[]>([]);
  const [reason, setReason] = useState("");
  const [checked, setChecked] = useState(false);
  const [projects, setProjects] = useState<DraftProjects>();
  const [impact, setImpact] = useState<DraftImpact>();

  const basic = useMutation({ mutationFn: () => sendBasic(draft.id, { start, cross_day: crossDay, confirmed: true }), onSuccess: setProjects });
  const choose = useMutation({ mutationFn: () => sendProjects(draft.id, { selected, confirmed: true }), onSuccess: setImpact });
  const submit = useMutation({
    mutationFn: () => submitDraft(draft.id, { hash: impact!.hash, reason: reason.trim(), accepted: checked }),
    onSuccess: () => ["instances", "instance", "operations", "overview"].forEach((key) => void queries.invalidateQueries({ queryKey: [key] })),
  });
  const step = impact ? 2 : projects ? 1 : 0;
  const object = draft.object || subject.data?.object || `${draft.instance}`;
  const note = (content: string, go: () => void) =>
    void holder.confirm({ title: t("emergency.please_note"), content, okText: t("emergency.confirm"), cancelText: t("operate.cancel"), onOk: go, width: 520 });
  const counts = (all: DraftProject[]) => {
    const inside = all.filter(({ project }) => selected.includes(project));
    return { n: inside.length, m: all.length - inside.length };
  };

  if (submit.data)
    return (
      <div className="panel">
        <Result
          status="success" title={t(`operation_status.${submit.data.status}`)} subTitle={t("operate.progress", { applied: submit.data.applied, total: submit.data.total })}
          extra={<Link to="/operations" search={{ operation: submit.data.operation }}><Button type="primary">{t("operate.open_log", { operation: submit.data.operation })}</Button></Link>}
        />
      </div>
    );

  const startProject = object.split(".")[0] ?? "";
  const startMissing = start === "self" && projects?.projects.some(({ project }) => project === startProject) && !selected.includes(startProject);
  return (
    <div className="panel wizard">
      {contextHolder}
      <Steps current={step} size="small" items={(["basic", "projects", "impact"] as const).map((key, n) => ({ title: t(`emergency.step_${key}`), icon: n < step ? <LockOutlined style={{ fontSize: 16 }} /> : undefined }))} />
      <Alert type="warning" showIcon title={t("force.sentence")} style={{ margin: "14px 0" }} />

      <section aria-label={t("emergency.step_basic")}>
        <Row label={t("column.data_timestamp")}><b className="numeric">{draft.data_timestamp}</b></Row>
        <Row label={t("emergency.start_instance")}><b>{object}</b> <span className="mono quiet">{draft.instance}</span></Row>
        <Row label={t("emergency.start_point")}>
          <Radio.Group disabled={step > 0} value={start} onChange={(event: RadioChangeEvent) => setStart(event.target.value as "self" | "children")} options={(["self", "children"] as const).map((value) => ({ value, label: t(`emergency.start_${value}`) }))} />
        </Row>
        <Row label={t("options.cross_day")}>
          <Radio.Group disabled={step > 0} value={crossDay} onChange={(event: RadioChangeEvent) => setCrossDay(event.target.value as boolean)} options={[{ value: true, label: t("options.yes") }, { value: false, label: t("options.no") }]} />
          <div className="quiet">{t("options.cross_day_hint")}</div>
        </Row>
        {step > 0 && <p className="quiet"><LockOutlined /> {t("emergency.locked")}</p>}
      </section>
      {step === 0 && (
        <footer><Failed error={basic.error} again={again} /><Button type="primary" loading={basic.isPending} onClick={() => note(t("emergency.note_basic"), () => basic.mutate())}>{t("emergency.next")}</Button></footer>
      )}

      {projects && (
        <section aria-label={t("emergency.step_projects")}>
          <h2>{t("emergency.step_projects")}</h2>
          <Projects all={projects.projects} selected={selected} change={step === 1 ? setSelected : undefined} />
        </section>
      )}
      {projects && step === 1 && (
        <footer>
          <Failed error={choose.error} again={again} />
          <span className="quiet">{selected.length === 0 ? t("emergency.select_one") : startMissing ? t("emergency.select_start", { project: startProject }) : ""}</span>
          <Button type="primary" disabled={selected.length === 0 || startMissing} loading={choose.isPending} onClick={() => note(t("emergency.note_projects", counts(projects.projects)), () => choose.mutate())}>{t("emergency.next")}</Button>
        </footer>
      )}

      {impact && (
        <section aria-label={t("emergency.step_impact")}>
          <h2>{t("emergency.step_impact")}</h2>
          <div className="impact">
            <div><b className="numeric">{impact.force_rerun}</b><span>{t("emergency.force_rerun")}</span></div>
            <div><b className="numeric">{impact.dry_run}</b><span>{t("emergency.dry_run")}</span></div>
            <div><b>{impact.finish_at ? <Instant at={impact.finish_at} /> : t("impact.unknown")}</b><span>{t("impact.finish_at")}</span></div>
            <div><b>{impact.baselines.map(({ name }) => name).join(", ") || t("emergency.no_baselines")}</b><span>{t("emergency.baselines")}</span></div>
          </div>
          {impact.message && <p className="quiet">{impact.message}</p>}
          {impact.conflicts.length > 0 && <Alert type="error" showIcon title={t("plan.conflicts", { count: impact.conflicts.length })} description={<ul className="plain">{impact.conflicts.map((one, n) => <li key={n}><b>{one.object}</b> {one.message}</li>)}</ul>} />}
          <label className="reason"><span>{t("operate.reason")} <span className="quiet">{t("operate.required")}</span></span><Input.TextArea value={reason} onChange={(event) => setReason(event.target.value)} maxLength={500} autoSize={{ minRows: 2, maxRows: 5 }} aria-label={t("operate.reason")} aria-required /></label>
          <Checkbox checked={checked} onChange={(event) => setChecked(event.target.checked)}>{t("emergency.checked")}</Checkbox>
          <footer>
            <Failed error={submit.error} again={again} />
            <span className="quiet">{!reason.trim() ? t("blocked.reason") : !checked ? t("emergency.tick") : ""}</span>
            <Button type="primary" danger disabled={!reason.trim() || !checked} loading={submit.isPending} onClick={() => submit.mutate()}>{t("emergency.confirm_rerun", { count: impact.force_rerun })}</Button>
          </footer>
        </section>
      )}
    </div>
  );
}

function Projects({ all, selected, change }: { all: DraftProject[]; selected: string[]; change?: (selected: string[]) => void }) {
  const { t } = useTranslation();
  const [ticked, setTicked] = useState<string[]>([]);
  const [find, setFind] = useState("");
  const matches = ({ project, display_name }: DraftProject) => `${project} ${display_name}`.toLowerCase().includes(find.trim().toLowerCase());
  const left = all.filter((one) => !selected.includes(one.project));
  const right = all.filter((one) => selected.includes(one.project));
  const move = (into: boolean) => {
    const names = ticked.filter((name) => selected.includes(name) !== into);
    change?.(into ? [...selected, ...names] : selected.filter((name) => !names.includes(name)));
    setTicked([]);
  };
  const tick = (name: string) => setTicked((before) => (before.includes(name) ? before.filter((other) => other !== name) : [...before, name]));
  const box = (title: string, list: DraftProject[]) => (
    <div className="transfer" role="group" aria-label={title}>
      <b>{title} <span className="quiet">{list.length}</span></b>
      {list.filter(matches).map((one) => (
        <Tooltip key={one.project} title={one.administrator ? "" : t("emergency.not_administrator")} placement="left">
          <div className={one.administrator ? "" : "dimmed"}>
            <Checkbox disabled={!change || !one.administrator} checked={ticked.includes(one.project)} onChange={() => tick(one.project)}>{one.project}{one.display_name && one.display_name !== one.project ? ` (${one.display_name})` : ""}</Checkbox>
            <span className="quiet numeric">{t("emergency.instances", { count: one.instances })}</span>
            {!one.administrator && <div className="quiet">{t("emergency.not_administrator")}</div>}
          </div>
        </Tooltip>
      ))}
      {list.length === 0 && <span className="quiet">–</span>}
    </div>
  );
  return (
    <>
      {all.length > 8 && <Input allowClear style={{ width: 240, marginBottom: 8 }} placeholder={t("emergency.find_project")} aria-label={t("emergency.find_project")} value={find} onChange={(event) => setFind(event.target.value)} />}
      <div className="transfers">
        {box(t("emergency.projects"), left)}
        <div className="transfer-buttons">
          <Button aria-label={t("emergency.select")} icon={<ArrowRightOutlined />} disabled={!change || !ticked.some((name) => !selected.includes(name))} onClick={() => move(true)} />
          <Button aria-label={t("emergency.unselect")} icon={<ArrowLeftOutlined />} disabled={!change || !ticked.some((name) => selected.includes(name))} onClick={() => move(false)} />
        </div>
        {box(t("emergency.selected"), right)}
      </div>
      <p className="quiet">{t("emergency.dry_run_hint")}</p>
    </>
  );
}
