/** A plan as the dialog shows it: required fields by table, steps under filters, descendants to pick from. */
import type { FieldChoice, Picked, Plan, Required, Step } from "../api/operations";

export interface RequiredGroup {
  key: string;
  table: string;
  data_timestamp: string;
  instance: number;
  items: Required[];
}

/** Required fields, one group per table and data timestamp, each field once with all its reasons. */
export function groupRequired(required: readonly Required[]): RequiredGroup[] {
  const groups = new Map<string, RequiredGroup>();
  for (const item of required) {
    const key = `${item.table}@${item.instance}`;
    const group = groups.get(key) ?? { key, table: item.table, data_timestamp: item.data_timestamp, instance: item.instance, items: [] };
    const same = group.items.find((other) => other.field === item.field);
    if (!same) group.items.push({ ...item });
    else if (!same.because.includes(item.because)) same.because = `${same.because}; ${item.because}`;
    groups.set(key, group);
  }
  return [...groups.values()].sort((a, b) => a.data_timestamp.localeCompare(b.data_timestamp) || a.table.localeCompare(b.table));
}

export interface StepFilter {
  text?: string;
  status?: string;
  project?: string;
  owner?: string;
  level?: number;
  requiredFirst?: boolean;
}

export const projectOf = (table: string) => table.split(".")[0] ?? "";

const requiredKeys = (required: readonly Required[]) => new Set(required.map(({ instance, field }) => `${instance}.${field}`));

export const isRequired = (step: Step, keys: ReadonlySet<string>) => step.fields.some((field) => keys.has(`${step.instance}.${field}`));

/** Steps that pass the filter, nearest first; `owners` says who owns a table. */
export function filterSteps(plan: Stepped, filter: StepFilter, owners: ReadonlyMap<string, string> = new Map()): Step[] {
  const find = filter.text?.trim().toLowerCase();
  const keys = requiredKeys(plan.required);
  const shown = plan.steps.filter(
    (step) =>
      (!find || step.table.toLowerCase().includes(find) || String(step.instance) === find || step.label.toLowerCase() === find || step.fields.some((field) => field.toLowerCase().includes(find))) &&
      (!filter.status || step.from === filter.status) &&
      (!filter.project || projectOf(step.table) === filter.project) &&
      (!filter.owner || owners.get(step.table) === filter.owner) &&
      (filter.level === undefined || step.level === filter.level),
  );
  const rank = (step: Step) => (filter.requiredFirst && isRequired(step, keys) ? 0 : 1);
  return shown.sort((a, b) => rank(a) - rank(b) || a.level - b.level || a.data_timestamp.localeCompare(b.data_timestamp) || a.table.localeCompare(b.table) || a.node_instance - b.node_instance);
}

type Stepped = { steps: readonly Step[]; required: readonly Required[] };

/** What can be chosen in the filters of these steps. */
export function stepFacets(steps: readonly Step[]) {
  const sorted = (values: Iterable<string>) => [...new Set(values)].sort();
  return {
    statuses: sorted(steps.map((step) => step.from)),
    projects: sorted(steps.map((step) => projectOf(step.table))),
    levels: [...new Set(steps.map((step) => step.level))].sort((a, b) => a - b),
  };
}

/** One instance below the start, with what of it can be picked. */
export interface Candidate {
  key: string;
  instance: number;
  table: string;
  data_timestamp: string;
  level: number;
  statuses: string[];
  fields: { key: string; field: string; status: string; required: boolean }[];
  required: boolean;
}

/** The descendants of a plan as instances with their fields, by level. */
export function candidates(plan: Stepped): Candidate[] {
  const found = new Map<number, Candidate>();
  const keys = requiredKeys(plan.required);
  for (const step of plan.steps) {
    if (step.level === 0) continue;
    const one = found.get(step.instance) ?? {
      key: `i${step.instance}`, instance: step.instance, table: step.table, data_timestamp: step.data_timestamp, level: step.level, statuses: [], fields: [], required: false,
    };
    one.level = Math.min(one.level, step.level);
    if (!one.statuses.includes(step.from)) one.statuses.push(step.from);
    for (const field of step.fields) {
      const required = keys.has(`${step.instance}.${field}`);
      one.required ||= required;
      if (!one.fields.some((other) => other.field === field)) one.fields.push({ key: `f${step.instance}.${field}`, field, status: step.from, required });
    }
    found.set(step.instance, one);
  }
  return [...found.values()].sort((a, b) => a.level - b.level || a.table.localeCompare(b.table) || a.data_timestamp.localeCompare(b.data_timestamp));
}

/** The rows ticked in the picker as the contract's picks: fields by name, a script as a whole. */
export function picksOf(ticked: readonly string[], all: readonly Candidate[]): Picked[] {
  const keys = new Set(ticked);
  return all.flatMap((one): Picked[] => {
    if (one.fields.length === 0) return keys.has(one.key) ? [{ instance: one.instance, fields: null }] : [];
    const fields = one.fields.filter(({ key }) => keys.has(key) || keys.has(one.key)).map(({ field }) => field);
    return fields.length ? [{ instance: one.instance, fields }] : [];
  });
}

/** The rows that stand for these picks. */
export function tickedOf(picks: readonly Picked[], all: readonly Candidate[]): string[] {
  const byInstance = new Map(picks.map((pick) => [pick.instance, pick.fields]));
  return all.flatMap((one) => {
    const fields = byInstance.get(one.instance);
    if (fields === undefined) return [];
    if (fields === null || one.fields.length === 0) return [one.key, ...one.fields.map(({ key }) => key)];
    const keys = one.fields.filter(({ field }) => fields.includes(field)).map(({ key }) => key);
    return keys.length === one.fields.length ? [one.key, ...keys] : keys;
  });
}

/** A press on a field of the picker: its group goes with it; what is locked does not move. */
export function toggleField(chosen: readonly string[], choice: FieldChoice): string[] {
  if (choice.state === "disabled" || (choice.state === "required" && !chosen.includes(choice.field))) return [...chosen];
  const together = [choice.field, ...(choice.state === "group" ? (choice.group ?? []) : [])];
  const next = new Set(chosen);
  const on = next.has(choice.field);
  for (const field of together) {
    if (on) next.delete(field);
    else next.add(field);
  }
  return [...next];
}

/** Fields that can be ticked at once by "all shown". */
export const selectable = (choices: readonly FieldChoice[]) => choices.filter(({ state }) => state === "selectable" || state === "group").map(({ field }) => field);

export interface ChoiceFilter {
  text?: string;
  status?: string;
  requiredFirst?: boolean;
}

export function filterChoices(choices: readonly FieldChoice[], filter: ChoiceFilter): FieldChoice[] {
  const find = filter.text?.trim().toLowerCase();
  const shown = choices.filter((choice) => (!find || choice.field.toLowerCase().includes(find)) && (!filter.status || choice.status === filter.status));
  return filter.requiredFirst ? [...shown].sort((a, b) => Number(b.state === "required") - Number(a.state === "required")) : shown;
}

/** The one verb most skipped items would be possible with, with how many. */
export function insteadOf(plan: Plan): { verb: string; count: number } | null {
  const counts = new Map<string, number>();
  for (const { instead } of plan.skipped) if (instead) counts.set(instead, (counts.get(instead) ?? 0) + 1);
  const [first] = [...counts].sort((a, b) => b[1] - a[1]);
  return first ? { verb: first[0], count: first[1] } : null;
}
