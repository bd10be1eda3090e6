/** One dialog for every verb: choices, the plan as it is computed, the reason, and what became of it. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Alert, Button, Input, Modal, Progress, Tooltip } from "antd";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Problem } from "../../api/client";
import { askPlan, confirmPlan, newKey, operationQuery, planUndo, undoOperation, type Operation, type Plan } from "../../api/operations";
import { blocked, firstChoices, isDangerous, isForce, missing, switchVerb, toAsked, type Ask } from "../../model/verbs";
import { Loading, Trouble } from "../../ui/States";
import { OptionsForm } from "./OptionsForm";
import { PlanView } from "./PlanView";

const DEBOUNCE_MILLISECONDS = 350;

function useDebounced<T>(value: T): T {
  const [late, setLate] = useState(value);
  useEffect(() => {
    const timer = window.setTimeout(() => setLate(value), DEBOUNCE_MILLISECONDS);
    return () => window.clearTimeout(timer);
  }, [value]);
  return late;
}

interface Props {
  ask: Ask;
  close: () => void;
}

export function OperationDialog({ ask, close }: Props) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [choices, setChoices] = useState(() => firstChoices(ask));
  const [reason, setReason] = useState("");
  const [seenHash, setSeenHash] = useState("");
  const [difference, setDifference] = useState<string[]>();
  const [done, setDone] = useState<Operation>();
  const keys = useRef(new Map<string, string>());
  const undo = ask.undo;

  const lacking = undo === undefined ? missing(choices) : null;
  const now = useMemo(() => JSON.stringify(toAsked(ask, choices)), [ask, choices]);
  const asked = useDebounced(now);
  const queryKey = ["plan", undo ?? null, asked];
  const planning = useQuery({
    queryKey,
    enabled: lacking === null && asked === now && !done,
    queryFn: () => (undo === undefined ? askPlan(JSON.parse(asked) as ReturnType<typeof toAsked>) : planUndo(undo)),
    gcTime: 0,
    staleTime: Infinity,
  });
  const plan = lacking === null && asked === now ? planning.data : undefined;

  const confirm = useMutation({
    mutationFn: (frozen: Plan) => {
      if (undo !== undefined) return undoOperation(undo, reason.trim());
      const body = { plan: frozen.plan, hash: frozen.hash, reason: reason.trim() };
      const text = JSON.stringify(body);
      const key = keys.current.get(text) ?? newKey();
      keys.current.set(text, key);
      return confirmPlan(body, key);
    },
    onSuccess: (operation) => {
      setDone(operation);
      for (const key of ["instances", "instance", "overview", "operations", "operation"]) void queries.invalidateQueries({ queryKey: [key] });
    },
    onError: (problem) => {
      if (!(problem instanceof Problem)) return;
      if (problem.code === "plan_stale" && problem.body.plan) {
        setDifference((problem.body.difference as string[] | undefined) ?? []);
        queries.setQueryData(queryKey, problem.body.plan as Plan);
      } else if (["plan_expired", "plan_unknown", "plan_stale"].includes(problem.code)) {
        setDifference([]);
        void planning.refetch();
      }
    },
  });
  const stale = confirm.error instanceof Problem && ["plan_stale", "plan_expired", "plan_unknown"].includes(confirm.error.code);

  const saw = useCallback(() => setSeenHash(plan?.hash ?? ""), [plan?.hash]);
  const change = (next: typeof choices) => {
    setChoices(next);
    setDifference(undefined);
    confirm.reset();
  };

  const verb = choices.verb;
  const verbWord = undo === undefined ? t(`verb.${verb}`) : t("verb.undo");
  const why = lacking ? null : blocked(plan, reason, !plan?.required.length || seenHash === plan.hash);
  const instances = new Set(plan?.steps.map((step) => step.instance)).size;
  const danger = isDangerous(verb) && undo === undefined;
  const object = ask.object ?? (ask.query !== undefined ? t("operate.by_query", { query: ask.query }) : t("operate.many", { count: ask.instances?.length ?? 0 }));
  const wait = lacking ? t(`choose.${lacking}`) : why && why !== "planning" ? t(`blocked.${why}`) : "";

  const footer = done ? (
    <Button type="primary" onClick={close}>{t("common.close")}</Button>
  ) : (
    <div className="dialog-foot">
      <span className="quiet" role="status">{!lacking && !plan && !planning.isError ? t("operate.planning") : wait}</span>
      <Button onClick={close}>{t("operate.cancel")}</Button>
      <Tooltip title={wait}>
        <Button type="primary" danger={danger} disabled={Boolean(lacking || why)} loading={confirm.isPending} onClick={() => plan && confirm.mutate(plan)} data-confirm>
          {plan && instances > 0 ? t("operate.button", { verb: verbWord, count: instances }) : verbWord}
        </Button>
      </Tooltip>
    </div>
  );

  return (
    <Modal open onCancel={close} footer={footer} width={1020} centered title={<span>{verbWord} <span className="quiet">{object}</span></span>} mask={{ closable: false }} className="operation">
      <div className="operation-body">
        {done ? (
          <Done operation={done} close={close} />
        ) : (
          <>
            {undo === undefined && <p className="quiet help">{t(`help.${verb}`)}</p>}
            {isForce(verb) && undo === undefined && (
              <Alert type="warning" showIcon title={<>{t("force.sentence")}{verb === "force_rerun_downstream" && plan && <div>{t("force.downstream", { count: instances })}</div>}</>} />
            )}
            {undo === undefined && <OptionsForm ask={ask} choices={choices} change={change} />}
            {!isForce(verb) && plan?.warning && <Alert type="warning" showIcon title={plan.warning} />}
            {difference && (
              <Alert
                type="info" showIcon title={t("operate.stale")}
                description={difference.length ? <ul className="plain">{difference.map((sentence) => <li key={sentence}>{sentence}</li>)}</ul> : t("operate.expired")}
              />
            )}
            {confirm.isError && !stale && <Alert type="error" showIcon title={confirm.error.message} description={confirm.error instanceof Problem ? confirm.error.hint : undefined} action={<Button size="small" onClick={() => { confirm.reset(); void planning.refetch(); }}>{t("operate.plan_again")}</Button>} />}
            {plan?.refused && <Alert type="error" showIcon title={plan.refused} />}
            {lacking ? null : planning.isError ? (
              <Trouble error={planning.error} retry={() => void planning.refetch()} />
            ) : !plan ? (
              <Loading rows={4} />
            ) : (
              <PlanView plan={plan} sawRequired={saw} instead={undo === undefined ? (next) => change(switchVerb(choices, next)) : undefined} />
            )}
            <label className="reason">
              <span>{t("operate.reason")} <span className="quiet">{t(plan?.reason_required ? "operate.required" : "operate.optional")}</span></span>
              <Input.TextArea value={reason} onChange={(event) => setReason(event.target.value)} maxLength={500} autoSize={{ minRows: 1, maxRows: 4 }} aria-label={t("operate.reason")} aria-required={plan?.reason_required ?? false} placeholder={t("operate.reason_hint")} />
            </label>
          </>
        )}
      </div>
    </Modal>
  );
}

function Done({ operation: first, close }: { operation: Operation; close: () => void }) {
  const { t } = useTranslation();
  const live = useQuery({ ...operationQuery(first.operation), enabled: first.status === "applying" });
  const operation = live.data ?? first;
  const percent = operation.total ? Math.floor((100 * operation.applied) / operation.total) : 100;
  const skipped = operation.skipped ?? [];
  return (
    <div className="done" role="status">
      <Alert
        showIcon type={operation.status === "applied" ? "success" : operation.status === "applying" || operation.status === "awaiting_consent" ? "info" : "error"}
        title={t(`operation_status.${operation.status}`)} description={t("operate.progress", { applied: operation.applied, total: operation.total })}
      />
      {operation.status === "applying" && <Progress percent={percent} status="active" />}
      {skipped.length > 0 && <ul className="plain">{skipped.slice(0, 20).map((one, n) => <li key={n}><b>{one.object}</b> {one.message}</li>)}</ul>}
      <p><Link to="/operations" search={{ operation: operation.operation }} onClick={close}>{t("operate.open_log", { operation: operation.operation })}</Link></p>
    </div>
  );
}
