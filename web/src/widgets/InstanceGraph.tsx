/** Instances as boxes that open into nodes and fields; choosing one shows the lines that touch it. */
import { Link } from "@tanstack/react-router";
import { Background, Controls, Handle, Position, ReactFlow, ReactFlowProvider, useReactFlow, type Edge, type Node, type NodeProps } from "@xyflow/react";
import "@xyflow/react/dist/style.css";
import { useEffect, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { Dropdown } from "antd";
import type { Graph } from "../api/client";
import { boxes as toBoxes, lines as toLines, type Box } from "../model/graph";
import { leadingStatus, STATUS_LOOK } from "../model/status";
import { Counts, StatusIcon } from "../ui/Status";
import { useDark } from "./CodeView";
import { layout, type Places } from "./layout";
import { menuOf, useVerbMenu } from "./VerbMenu";

interface Data extends Record<string, unknown> {
  box: Box;
  centre: boolean;
  chosen: ReadonlySet<number>;
  openNodes: ReadonlySet<number>;
  toggle: (id: number) => void;
  toggleNode: (id: number) => void;
}

interface Props {
  graph: Graph;
  expanded: ReadonlySet<number>;
  toggle: (id: number) => void;
}

const NODE_TYPES = { instance: InstanceBox };

export function InstanceGraph(props: Props) {
  return <ReactFlowProvider><Drawn {...props} /></ReactFlowProvider>;
}

function Drawn({ graph, expanded, toggle }: Props) {
  const { t } = useTranslation();
  const dark = useDark();
  const flow = useReactFlow();
  const [openNodes, setOpenNodes] = useState<ReadonlySet<number>>(new Set());
  const [places, setPlaces] = useState<Places>();
  const boxes = useMemo(() => toBoxes(graph, expanded, openNodes), [graph, expanded, openNodes]);
  const lines = useMemo(() => toLines(graph, openNodes), [graph, openNodes]);
  /** The layout depends on sizes and lines only: a changed status must not move anything. */
  const shape = JSON.stringify([boxes.map(({ id, height }) => [id, height]), lines.map(({ id }) => id)]);

  useEffect(() => {
    let gone = false;
    void layout(boxes, lines).then((next) => {
      if (gone) return;
      setPlaces(next);
      requestAnimationFrame(() => void flow.fitView({ padding: 0.12, maxZoom: 1 }));
    });
    return () => { gone = true; };
    // eslint-disable-next-line react-hooks/exhaustive-deps -- `shape` says all that the layout depends on
  }, [shape, flow]);

  const toggleNode = (id: number) => setOpenNodes((before) => {
    const next = new Set(before);
    if (!next.delete(id)) next.add(id);
    return next;
  });

  if (!places) return <div className="graph-frame" aria-busy="true"><p className="quiet" style={{ padding: 16 }}>{t("graph.laying_out")}</p></div>;

  const nodes: Node<Data>[] = boxes.map((box) => ({
    id: box.id, type: "instance", position: places[box.id] ?? { x: 0, y: 0 }, draggable: false,
    data: { box, centre: box.node.id === graph.centre, chosen: openNodes, openNodes, toggle, toggleNode },
    style: { width: box.width, height: box.height },
  }));
  const edges: Edge[] = lines.map((line) => ({
    id: line.id, source: line.source, target: line.target, className: line.highlighted ? "highlighted" : "",
    style: line.dashed ? { strokeDasharray: "6 4" } : undefined, selectable: false, focusable: false,
  }));
  return (
    <div className="graph-frame">
      <ReactFlow
        nodes={nodes} edges={edges} nodeTypes={NODE_TYPES} colorMode={dark ? "dark" : "light"} onlyRenderVisibleElements={nodes.length > 150} minZoom={0.05} maxZoom={1.6}
        nodesConnectable={false} elementsSelectable={false} fitView fitViewOptions={{ padding: 0.12, maxZoom: 1 }} proOptions={{ hideAttribution: true }}
      >
        <Background gap={22} size={1} />
        <Controls showInteractive={false} fitViewOptions={{ padding: 0.12, maxZoom: 1 }} />
      </ReactFlow>
    </div>
  );
}

function InstanceBox({ data }: NodeProps<Node<Data>>) {
  const { t } = useTranslation();
  const { box: { node, expanded }, centre, openNodes, toggle, toggleNode } = data;
  const menu = useVerbMenu();
  const leading = leadingStatus(node.status.nodes);
  const statuses = Object.keys(node.status.nodes);
  const whole = () => menu({ ...node, statuses }, true);
  const box = (
    <div className={`box ${centre ? "centre" : ""}`} style={{ ["--box-colour" as string]: node.id ? `var(${STATUS_LOOK[leading].colour})` : "var(--line-strong)" }}>
      <Handle type="target" position={Position.Left} />
      <div className="head">
        <span className="name">
          {node.id ? <Link to="/instances/$id" params={{ id: String(node.id) }} className="nodrag" title={node.description || node.object}>{node.object}</Link> : <span>{t("graph.root")}</span>}
          {node.id > 0 && (
            <Dropdown trigger={["click"]} menu={menuOf(whole())} destroyOnHidden>
              <button type="button" className="plain nodrag" aria-label={t("operate.row_menu", { name: node.object })}>⋯</button>
            </Dropdown>
          )}
          {node.nodes.length > 0 && (
            <button type="button" className="plain nodrag" aria-expanded={expanded} aria-label={t(expanded ? "graph.collapse" : "graph.expand")} onClick={() => toggle(node.id)}>{expanded ? "▾" : "▸"} {node.nodes.length}</button>
          )}
        </span>
        <span className="quiet line">{[node.table_kind ? t(`table_kind.${node.table_kind}`) : node.kind && t(`kind.${node.kind}`, ""), node.data_timestamp, node.owner].filter(Boolean).join(" · ")}</span>
        <span><Counts counts={node.status.nodes} /></span>
      </div>
      {expanded && node.nodes.map((inner) => (
        <div key={inner.id}>
          <Dropdown
            trigger={["contextMenu"]} destroyOnHidden
            menu={{ items: menu({ ...node, statuses: [inner.status], fields: inner.fields.filter(({ key }) => !key).map(({ field }) => field) }), onClick: ({ domEvent }) => domEvent.stopPropagation() }}
          >
          <button type="button" onContextMenu={(event) => event.stopPropagation()} className={`inner nodrag ${openNodes.has(inner.id) ? "chosen" : ""}`} aria-expanded={openNodes.has(inner.id)} onClick={() => toggleNode(inner.id)}>
            <StatusIcon status={inner.status} /><b>{inner.label}</b><span className="names">{inner.fields.filter(({ key }) => !key).map(({ field }) => field).join(", ")}</span>
          </button>
          </Dropdown>
          {openNodes.has(inner.id) && inner.fields.map((field) => (
            <div key={field.field} className="field"><StatusIcon status={field.status} />{field.field}{field.key && <span className="chip key">{t("instance.key_field")}</span>}</div>
          ))}
        </div>
      ))}
      <Handle type="source" position={Position.Right} />
    </div>
  );
  if (!node.id) return box;
  return <Dropdown trigger={["contextMenu"]} menu={menuOf(whole())} destroyOnHidden>{box}</Dropdown>;
}
