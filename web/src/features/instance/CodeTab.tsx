/** The code of an instance: what the user wrote, and each node's statement with its fields and parameters. */
import { useQuery } from "@tanstack/react-query";
import { Tabs, Typography } from "antd";
import { useTranslation } from "react-i18next";
import type { InstanceDetail } from "../../api/client";
import { codeQuery } from "../../api/queries";
import { Loading, Trouble } from "../../ui/States";
import { CodeView } from "../../widgets/CodeView";

export function CodeTab({ instance }: { instance: InstanceDetail }) {
  const { t } = useTranslation();
  const query = useQuery(codeQuery(instance.id));
  if (query.isPending) return <Loading />;
  if (query.isError) return <Trouble error={query.error} retry={() => void query.refetch()} />;
  const code = query.data;
  const chips = (words: readonly string[]) => <span className="chips">{words.map((word) => <span className="chip" key={word}>{word}</span>)}</span>;
  return (
    <Tabs
      tabPlacement="start"
      items={[
        {
          key: "user", label: t("code.user"),
          children: (
            <>
              <div className="page-head"><span className="mono">{code.file}</span>{code.edit_url && <a href={code.edit_url} target="_blank" rel="noreferrer">{t("code.edit")}</a>}<Typography.Text copyable={{ text: code.text }} /></div>
              <CodeView text={code.text} label={t("code.user")} language={code.language} />
            </>
          ),
        },
        ...code.nodes.filter((node) => node.sql).map((node) => ({
          key: node.node, label: t("code.node", { label: node.label }),
          children: (
            <>
              <div className="page-head">
                <span className="mono">{node.node}</span><span className="quiet">{t("code.version", { version: node.version })}</span>
                {node.row_node && <span className="chip key">{t("instance.row_node")}</span>}<Typography.Text copyable={{ text: node.sql }} />
              </div>
              <p className="quiet" style={{ margin: "0 0 8px" }}>{node.why}</p>
              <div className="page-head"><span className="quiet">{t("code.computes")}</span>{chips(node.fields)}{(node.sources ?? []).length > 0 && <><span className="quiet">{t("code.sources")}</span>{chips(node.sources ?? [])}</>}</div>
              <CodeView text={node.sql} label={node.label} />
              {Object.keys(node.parameters ?? {}).length > 0 && (
                <p><span className="quiet">{t("code.parameters")}</span> {Object.entries(node.parameters ?? {}).map(([name, value]) => <span key={name} className="chip mono" style={{ marginRight: 6 }}>{name} = {value}</span>)}</p>
              )}
            </>
          ),
        })),
      ]}
    />
  );
}
