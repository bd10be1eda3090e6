/** Where the boxes go: layered from left to right, computed by ELK in a worker so that the page stays fluid. */
import ELK from "elkjs/lib/elk-api.js";
import workerUrl from "elkjs/lib/elk-worker.min.js?url";
import type { Box, Line } from "../model/graph";

export type Places = Record<string, { x: number; y: number }>;

let elk: InstanceType<typeof ELK> | undefined;

export async function layout(boxes: readonly Box[], lines: readonly Line[]): Promise<Places> {
  elk ??= new ELK({ workerFactory: () => new Worker(workerUrl) });
  const arranged = await elk.layout({
    id: "root",
    layoutOptions: {
      "elk.algorithm": "layered",
      "elk.direction": "RIGHT",
      "elk.layered.spacing.nodeNodeBetweenLayers": "90",
      "elk.spacing.nodeNode": "26",
      "elk.layered.nodePlacement.strategy": "NETWORK_SIMPLEX",
    },
    children: boxes.map(({ id, width, height }) => ({ id, width, height })),
    edges: lines.map(({ id, source, target }) => ({ id, sources: [source], targets: [target] })),
  });
  return Object.fromEntries((arranged.children ?? []).map(({ id, x = 0, y = 0 }) => [id, { x, y }]));
}
