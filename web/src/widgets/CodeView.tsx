/** Code, read-only, coloured. */
import { sql } from "@codemirror/lang-sql";
import CodeMirror from "@uiw/react-codemirror";
import { useEffect, useState } from "react";

export function useDark(): boolean {
  const [dark, setDark] = useState(() => document.documentElement.dataset.theme === "dark");
  useEffect(() => {
    const watch = new MutationObserver(() => setDark(document.documentElement.dataset.theme === "dark"));
    watch.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    return () => watch.disconnect();
  }, []);
  return dark;
}

interface Props {
  text: string;
  label: string;
  language?: string;
  change?: (text: string) => void;
  maxHeight?: string;
}

export function CodeView({ text, label, language = "sql", change, maxHeight = "60vh" }: Props) {
  const dark = useDark();
  return (
    <div className="code">
      <CodeMirror
        value={text} theme={dark ? "dark" : "light"} editable={Boolean(change)} readOnly={!change} onChange={change} maxHeight={maxHeight} aria-label={label}
        extensions={language === "sql" ? [sql()] : []} basicSetup={{ foldGutter: false, highlightActiveLine: Boolean(change), highlightActiveLineGutter: Boolean(change) }}
      />
    </div>
  );
}
