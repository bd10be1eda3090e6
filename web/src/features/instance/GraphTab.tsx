/** The instance among its neighbours: a picture that opens into nodes and fields, or the same as a list. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Button, InputNumber, Segmented, Table } from "antd";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import type { InstanceDetail } from "../../api/client";
import { graphQuery } from "../../api/queries";
import { DRAWN_AT_MOST } from "../../model/graph";
import { Counts } from "../../ui/Status";
import { Loading, Nothing, Trouble } from "../../ui/States";
import { InstanceGraph } from "../../widgets/InstanceGraph";

export function GraphTab({ instance }: { instance: InstanceDetail }) {
  const { t } = useTranslation();
  const [up, setUp] = useState(1);
  const [down, setDown] = useState(1);
  const [asList, setAsList] = useState(false);
  const [expanded, setExpanded] = useState<ReadonlySet<number>>(() => new Set([instance.id]));
  const query = useQuery(graphQuery(instance.id, up, down));
  const ids = useMemo(() => query.data?.nodes.filter((node) => node.nodes.length).map(({ id }) => id) ?? [], [query.data]);

  const level = (label: string, value: number, change: (value: number) => void) => (
    <label className="quiet">{label} <InputNumber size="small" min={0} max={10} value={value} onChange={(next) => change(next ?? 0)} aria-label={label} style={{ width: 62 }} /></label>
  );
  const toggle = (id: number) => setExpanded((before) => {
    const next = new Set(before);
    if (!next.delete(id)) next.add(id);
    return next;
  });

  return (
    <>
      <div className="filters">
        {level(t("graph.up"), up, setUp)}
        {level(t("graph.down"), down, setDown)}
        <Button size="small" onClick={() => setExpanded(new Set(ids))}>{t("graph.expand_all")}</Button>
        <Button size="small" onClick={() => setExpanded(new Set())}>{t("graph.collapse_all")}</Button>
        <span style={{ flex: 1 }} />
        <span className="quiet">― {t("graph.same")} · ┄ {t("graph.previous")}</span>
        <Segmented size="small" value={asList ? "list" : "picture"} onChange={(value) => setAsList(value === "list")} options={[{ value: "picture", label: t("graph.picture") }, { value: "list", label: t("graph.list") }]} />
      </div>
      {query.isPending ? (
        <Loading rows={8} />
      ) : query.isError ? (
        <Trouble error={query.error} retry={() => void query.refetch()} />
      ) : asList ? (
        <Table
          rowKey="id" size="small" pagination={false} dataSource={query.data.nodes}
          columns={[
            { key: "level", title: t("graph.level"), width: 90, dataIndex: "level", defaultSortOrder: "ascend", sorter: (a, b) => a.level - b.level },
            { key: "object", title: t("column.object"), render: (_, node) => (node.id ? <Link to="/instances/$id" params={{ id: String(node.id) }}>{node.object}</Link> : t("graph.root")) },
            { key: "status", title: t("column.nodes"), render: (_, node) => <Counts counts={node.status.nodes} words /> },
            { key: "day", title: t("column.data_timestamp"), dataIndex: "data_timestamp", className: "numeric" },
            { key: "owner", title: t("column.owner"), dataIndex: "owner" },
          ]}
        />
      ) : query.data.nodes.length > DRAWN_AT_MOST || query.data.truncated ? (
        <div className="panel"><Nothing title={t("graph.too_large", { count: query.data.nodes.length })} hint={t("graph.too_large_hint")} /></div>
      ) : (
        <InstanceGraph graph={query.data} expanded={expanded} toggle={toggle} />
      )}
    </>
  );
}
