/** Instants as people read them: always with the zone they are in. */

export type ZoneChoice = "project" | "local" | "utc";

export const ZONE_CHOICES: readonly ZoneChoice[] = ["project", "local", "utc"];

export function zoneName(choice: ZoneChoice, project: string): string {
  if (choice === "utc") return "UTC";
  return choice === "local" ? Intl.DateTimeFormat().resolvedOptions().timeZone : project;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function format(zone: string): Intl.DateTimeFormat {
  let made = formats.get(zone);
  if (!made) {
    made = new Intl.DateTimeFormat("sv-SE", {
      timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit",
      hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short",
    });
    formats.set(zone, made);
  }
  return made;
}

/** "2026-11-18 02:30:00 UTC+1" in the zone. */
export function showInstant(instant: string, zone: string): string {
  return format(zone).format(new Date(instant));
}

/** "1.4 s", "2 min 03 s", "1 h 05 min". */
export function showDuration(seconds: number): string {
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(seconds < 1 ? 2 : 1) : Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  const two = (n: number) => String(n).padStart(2, "0");
  return hours ? `${hours} h ${two(minutes)} min` : `${minutes} min ${two(whole % 60)} s`;
}
