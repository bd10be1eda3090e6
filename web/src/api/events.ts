/** Live updates: the server names the instances that changed, and what shows them is asked for again. */
import type { QueryClient } from "@tanstack/react-query";

export type LiveState = "connecting" | "live" | "lost";

/** Changes come in bursts; lists are asked for at most once in this many milliseconds. */
const QUIET_MILLISECONDS = 700;

export function followEvents(queries: QueryClient, onState: (state: LiveState) => void): () => void {
  const source = new EventSource("/api/v1/events");
  const changed = new Set<number>();
  let timer: number | undefined;

  const flush = () => {
    timer = undefined;
    for (const id of changed) void queries.invalidateQueries({ queryKey: ["instance", id] });
    changed.clear();
    void queries.invalidateQueries({ queryKey: ["instances"] });
    void queries.invalidateQueries({ queryKey: ["overview"] });
    void queries.invalidateQueries({ queryKey: ["lineage"] });
    void queries.invalidateQueries({ queryKey: ["operations"] });
  };

  source.addEventListener("open", () => onState("live"));
  source.addEventListener("error", () => onState("lost"));
  source.addEventListener("instances", (event) => {
    const { ids } = JSON.parse((event as MessageEvent<string>).data) as { ids: number[] };
    ids.forEach((id) => changed.add(id));
    timer ??= window.setTimeout(flush, QUIET_MILLISECONDS);
  });
  return () => {
    source.close();
    window.clearTimeout(timer);
  };
}
