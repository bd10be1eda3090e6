/** The three states every page has besides its content: loading, empty, problem. */
import { Button, Empty, Result, Skeleton } from "antd";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Problem } from "../api/client";

export function Loading({ rows = 6 }: { rows?: number }) {
  return <div className="panel" aria-busy="true"><Skeleton active paragraph={{ rows }} title={false} /></div>;
}

export function Nothing({ title, hint, action }: { title: string; hint?: string; action?: ReactNode }) {
  return (
    <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} style={{ padding: "36px 0" }} description={<><div>{title}</div>{hint && <div className="quiet">{hint}</div>}</>}>
      {action}
    </Empty>
  );
}

export function Trouble({ error, retry }: { error: unknown; retry?: () => void }) {
  const { t } = useTranslation();
  const problem = error instanceof Problem ? error : null;
  const offline = !problem;
  const unauthorized = problem?.status === 401;
  const title = unauthorized ? t("problem.unauthorized") : offline ? t("problem.offline") : t("problem.title");
  const detail = unauthorized ? t("problem.unauthorized_hint") : offline ? t("problem.offline_hint") : problem.message;
  return (
    <Result
      status={problem?.status === 404 ? "404" : "warning"}
      title={title}
      subTitle={<>{detail}{problem?.hint && !unauthorized && <div>{problem.hint}</div>}</>}
      extra={retry && !unauthorized && <Button onClick={retry}>{t("problem.retry")}</Button>}
    />
  );
}
