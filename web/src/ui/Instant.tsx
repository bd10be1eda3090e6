/** An instant in the zone the person chose; hovering shows UTC. */
import { Tooltip } from "antd";
import { createContext, useContext } from "react";
import { showInstant, zoneName, type ZoneChoice } from "../model/time";

export const ZoneContext = createContext<ZoneChoice>("project");

export function Instant({ at, zone = "UTC" }: { at: string | null | undefined; zone?: string }) {
  const choice = useContext(ZoneContext);
  if (!at) return <span className="quiet">–</span>;
  return (
    <Tooltip title={`${showInstant(at, "UTC")}`} mouseEnterDelay={0.4}>
      <time className="numeric" dateTime={at}>{showInstant(at, zoneName(choice, zone))}</time>
    </Tooltip>
  );
}
