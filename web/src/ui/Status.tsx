/** Statuses and counts of statuses: icon, word and colour together. */
import { Tooltip } from "antd";
import { useTranslation } from "react-i18next";
import { orderedCounts, STATUS_LOOK, type AnyStatus } from "../model/status";

export function StatusIcon({ status }: { status: AnyStatus }) {
  const { t } = useTranslation();
  const look = STATUS_LOOK[status];
  return (
    <Tooltip title={t(`status.${status}`)}>
      <span className={`status ${status}`} style={{ color: `var(${look.colour})` }} role="img" aria-label={t(`status.${status}`)}>
        <i aria-hidden>{look.icon}</i>
      </span>
    </Tooltip>
  );
}

export function StatusWords({ status, count }: { status: AnyStatus; count?: number }) {
  const { t } = useTranslation();
  const look = STATUS_LOOK[status];
  return (
    <span className={`status ${status}`} style={{ color: `var(${look.colour})` }}>
      <i aria-hidden>{look.icon}</i>
      {count === undefined ? "" : `${count} `}
      {t(`status.${status}`)}
    </span>
  );
}

/** Counts by status as icon and number; the words are in the hover and for screen readers. */
export function Counts({ counts, words = false }: { counts: Record<string, number>; words?: boolean }) {
  const { t } = useTranslation();
  const ordered = orderedCounts(counts);
  if (ordered.length === 0) return <span className="quiet">–</span>;
  return (
    <span className="counts">
      {ordered.map(([status, count]) =>
        words ? (
          <StatusWords key={status} status={status} count={count} />
        ) : (
          <Tooltip key={status} title={`${count} ${t(`status.${status}`)}`}>
            <span className={`status ${status} numeric`} style={{ color: `var(${STATUS_LOOK[status].colour})` }}>
              <i aria-hidden>{STATUS_LOOK[status].icon}</i>
              {count}
              <span style={{ position: "absolute", width: 1, height: 1, overflow: "hidden" }}>{t(`status.${status}`)}</span>
            </span>
          </Tooltip>
        ),
      )}
    </span>
  );
}

/** A thin bar split by status. */
export function CountsBar({ counts }: { counts: Record<string, number> }) {
  const ordered = orderedCounts(counts);
  return (
    <div className="bar" aria-hidden>
      {ordered.map(([status, count]) => (
        <span key={status} style={{ flex: count, background: `var(${STATUS_LOOK[status].colour})` }} />
      ))}
    </div>
  );
}

export function Marks({ marks }: { marks: readonly string[] }) {
  const { t } = useTranslation();
  return (
    <>
      {marks.map((mark) => (
        <span key={mark} className="chip">{t(`mark.${mark}`, mark)}</span>
      ))}
    </>
  );
}
