/** A run's log: its last part at once, new lines as they are written, search, wrap, download. */
import { DownloadOutlined } from "@ant-design/icons";
import { Button, Checkbox, Input } from "antd";
import { useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { logSlice } from "../api/queries";
import { Trouble } from "../ui/States";

/** More than this is not kept in the page. */
const SHOWN_CHARACTERS = 1_000_000;
const POLL_MILLISECONDS = 1000;

export function LogView({ run, running }: { run: number; running: boolean }) {
  const { t } = useTranslation();
  const [text, setText] = useState("");
  const [cut, setCut] = useState(false);
  const [ended, setEnded] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [wrap, setWrap] = useState(true);
  const [follow, setFollow] = useState(true);
  const [find, setFind] = useState("");
  const frame = useRef<HTMLPreElement>(null);

  useEffect(() => {
    let gone = false;
    let timer: number | undefined;
    let offset = 0;
    const read = async () => {
      try {
        const slice = await logSlice(run, offset);
        if (gone) return;
        offset = slice.next_offset;
        setError(null);
        if (slice.text) setText((before) => {
          const all = before + slice.text;
          if (all.length > SHOWN_CHARACTERS) setCut(true);
          return all.slice(-SHOWN_CHARACTERS);
        });
        if (offset < slice.size) timer = window.setTimeout(() => void read(), 0);
        else if (!slice.ended) timer = window.setTimeout(() => void read(), POLL_MILLISECONDS);
        else setEnded(true);
      } catch (problem) {
        if (!gone) setError(problem);
      }
    };
    void read();
    return () => {
      gone = true;
      window.clearTimeout(timer);
    };
  }, [run, running]);

  useEffect(() => {
    if (follow && !ended && frame.current) frame.current.scrollTop = frame.current.scrollHeight;
  }, [text, follow, ended]);

  const parts = useMemo(() => (find ? text.split(new RegExp(`(${find.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")})`, "i")) : [text]), [text, find]);
  const matches = (parts.length - 1) / 2;

  if (error) return <Trouble error={error} />;
  return (
    <>
      <div className="filters">
        <Input data-search size="small" style={{ width: 200 }} allowClear placeholder={t("runs.search")} aria-label={t("runs.search")} value={find} onChange={(event) => setFind(event.target.value)} />
        {find && <span className="quiet">{t("runs.matches", { count: matches })}</span>}
        <span style={{ flex: 1 }} />
        <Checkbox checked={follow} onChange={(event) => setFollow(event.target.checked)}>{t("runs.follow")}</Checkbox>
        <Checkbox checked={wrap} onChange={(event) => setWrap(event.target.checked)}>{t("runs.wrap")}</Checkbox>
        <Button size="small" icon={<DownloadOutlined />} href={`/api/v1/runs/${run}/log?download=true`} download>{t("runs.download")}</Button>
      </div>
      {cut && <p className="quiet">{t("runs.truncated")}</p>}
      <pre ref={frame} className={`log ${wrap ? "wrap" : ""}`} tabIndex={0} aria-label={t("runs.log")}>
        {parts.map((part, index) => (index % 2 ? <mark key={index}>{part}</mark> : part))}
        {ended && !text && <span className="quiet">{t("runs.empty_log")}</span>}
      </pre>
      <small className="quiet" role="status">{ended ? t("runs.end") : t("runs.live")}</small>
    </>
  );
}
