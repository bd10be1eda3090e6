/** The verbs: what each may be asked for, which choices it has, and how its button reads. */
import type { Options, PlanAsked, Priority, Range, SuccessSet, Verb } from "../api/operations";

export type { Verb } from "../api/operations";

export const VERBS: readonly Verb[] = [
  "rerun", "rerun_downstream", "force_rerun", "force_rerun_downstream", "set_success", "stop", "pause", "resume",
  "set_priority", "set_resource_group", "remove_upstream", "restore_upstream", "start",
];

/** The menu of one instance, in groups with a line between. */
export const MENU: readonly (readonly Verb[])[] = [
  ["rerun", "rerun_downstream"],
  ["force_rerun", "force_rerun_downstream"],
  ["set_success", "stop", "pause", "resume"],
  ["set_priority", "set_resource_group", "remove_upstream", "restore_upstream"],
];

/** The menu of a field or of some fields. */
export const FIELD_MENU: readonly (readonly Verb[])[] = [
  ["rerun", "rerun_downstream"],
  ["force_rerun", "force_rerun_downstream"],
  ["stop", "pause", "resume", "set_success"],
];

/** One press of the batch bar: a verb with what it presets. */
export interface Batch {
  key: string;
  verb: Verb;
  options?: Options;
}

export const BATCH: readonly Batch[] = [
  { key: "rerun_failed", verb: "rerun", options: { range: "all_failed" } },
  { key: "rerun_final", verb: "rerun", options: { range: "all_final" } },
  { key: "force_rerun_all", verb: "force_rerun", options: { with_not_run_descendants: true } },
  { key: "stop", verb: "stop" },
  { key: "set_success", verb: "set_success", options: { set: "both" } },
  { key: "pause", verb: "pause" },
  { key: "resume", verb: "resume" },
  { key: "set_priority", verb: "set_priority" },
];

export const PRIORITIES: readonly Priority[] = ["highest", "high", "medium", "low", "lowest"];

const DOWNSTREAM: readonly Verb[] = ["rerun_downstream", "force_rerun_downstream"];
const FORCE: readonly Verb[] = ["force_rerun", "force_rerun_downstream"];
const DANGEROUS: readonly Verb[] = ["force_rerun", "force_rerun_downstream", "set_success", "stop", "remove_upstream"];
const BY_FIELD: readonly Verb[] = ["rerun", "rerun_downstream", "force_rerun", "force_rerun_downstream", "stop", "pause", "resume"];

export const isDownstream = (verb: Verb) => DOWNSTREAM.includes(verb);
export const isForce = (verb: Verb) => FORCE.includes(verb);
export const isDangerous = (verb: Verb) => DANGEROUS.includes(verb);
export const asVerb = (word: string | null | undefined): Verb | undefined => VERBS.find((verb) => verb === word);

const ANY = null;
/** Node statuses a verb takes; null: any. What only the server knows is left to the plan. */
const TAKES: Record<Verb, readonly string[] | null> = {
  rerun: ["succeeded", "failed"],
  rerun_downstream: ["succeeded", "failed"],
  force_rerun: ANY,
  force_rerun_downstream: ANY,
  set_success: ["not_running", "failed"],
  stop: ["waiting", "waiting_time", "throttled", "waiting_resources", "running"],
  pause: ["not_running", "waiting", "waiting_time", "throttled"],
  resume: ANY,
  set_priority: ANY,
  set_resource_group: ["not_running", "waiting", "waiting_time", "throttled", "waiting_resources", "succeeded", "failed"],
  remove_upstream: ANY,
  restore_upstream: ANY,
  start: ["not_running"],
};

/** True when at least one of these statuses is one the verb takes. */
export function eligible(verb: Verb, statuses: readonly string[], marks: readonly string[] = []): boolean {
  if (verb === "resume") return marks.includes("paused") || statuses.length === 0;
  const takes = TAKES[verb];
  return takes === null || statuses.length === 0 || statuses.some((status) => takes.includes(status));
}

/** What was asked to be done: where, and what was already chosen there. */
export interface Ask {
  verb: Verb;
  instances?: number[];
  query?: string;
  /** What the title says: one object's name, or nothing when there are many. */
  object?: string;
  fields?: string[] | null;
  options?: Options;
  /** Only for `undo`: the operation to be undone. */
  undo?: number;
}

/** The state of the dialog's choices. */
export interface Choices {
  verb: Verb;
  /** null: the whole table */
  fields: string[] | null;
  /** force rerun downstream: quick takes the whole table and everything below */
  quick: boolean;
  options: Options;
}

const FIRST_RANGE: Partial<Record<Verb, Range>> = { rerun_downstream: "all_failed", force_rerun_downstream: "all" };

export const RANGES: Partial<Record<Verb, readonly Range[]>> = {
  rerun_downstream: ["all_failed", "all_final", "custom"],
  force_rerun_downstream: ["all", "custom"],
};

export const SETS: readonly SuccessSet[] = ["failed", "not_run", "both", "custom"];

/** The choices a dialog opens with: the safest of each. */
export function firstChoices(ask: Ask): Choices {
  const fields = ask.fields?.length ? ask.fields : null;
  const options: Options = { ...ask.options };
  if (isDownstream(ask.verb)) {
    options.start_mode ??= "normal";
    options.range ??= FIRST_RANGE[ask.verb];
    options.cross_day ??= true;
  }
  if (ask.verb === "set_success") options.set ??= fields ? "custom" : "failed";
  return { verb: ask.verb, fields, quick: ask.verb === "force_rerun_downstream" && !fields, options };
}

/** The same scope under another verb; what both have in common is kept. */
export function switchVerb(choices: Choices, verb: Verb): Choices {
  const next = firstChoices({ verb, fields: choices.fields });
  if (isDownstream(verb) && isDownstream(choices.verb)) next.options = { ...next.options, start_mode: choices.options.start_mode, cross_day: choices.options.cross_day };
  return next;
}

export const takesFields = (choices: Choices) =>
  BY_FIELD.includes(choices.verb) ? !(choices.verb === "force_rerun_downstream" && choices.quick) : choices.verb === "set_success" && choices.options.set === "custom";

/** What still has to be chosen before a plan can be asked for: a key of `choose.*`, or nothing. */
export function missing(choices: Choices): "fields" | "descendants" | "priority" | "resource_group" | "upstream" | "until" | null {
  const { verb, options } = choices;
  if (takesFields(choices) && choices.fields?.length === 0) return "fields";
  if (verb === "set_success" && options.set === "custom" && !choices.fields?.length) return "fields";
  if (isDownstream(verb) && options.range === "custom" && !options.pick?.length) return "descendants";
  if (verb === "set_priority" && !options.priority) return "priority";
  if (verb === "set_resource_group" && !options.resource_group) return "resource_group";
  if ((verb === "remove_upstream" || verb === "restore_upstream") && !options.upstream?.length) return "upstream";
  if (verb === "pause" && options.until === "") return "until";
  return null;
}

/** The question to the server: only what the verb knows. */
export function toAsked(ask: Ask, choices: Choices): PlanAsked {
  const { verb, options } = choices;
  const sent: Options = {};
  if (isDownstream(verb)) {
    sent.start_mode = options.start_mode;
    sent.range = verb === "force_rerun_downstream" && choices.quick ? "all" : options.range;
    sent.cross_day = options.cross_day ?? true;
    if (options.range === "custom" && !(verb === "force_rerun_downstream" && choices.quick)) sent.pick = options.pick;
    if (options.level) sent.level = options.level;
  }
  if (verb === "rerun" && options.range) sent.range = options.range;
  if (verb === "force_rerun") sent.with_not_run_descendants = options.with_not_run_descendants ?? false;
  if (verb === "set_success") sent.set = options.set;
  if (verb === "set_priority") sent.priority = options.priority;
  if (verb === "set_resource_group") sent.resource_group = options.resource_group;
  if (verb === "pause" && options.until) sent.until = options.until;
  if (verb === "remove_upstream" || verb === "restore_upstream") sent.upstream = options.upstream;
  if (options.check_sources) sent.check_sources = true;
  return {
    verb,
    scope: ask.query === undefined ? { instances: ask.instances ?? [] } : { query: ask.query },
    fields: takesFields(choices) ? choices.fields : null,
    options: sent,
  };
}

/** The question whose steps are what may be picked from in a custom range. */
export function candidatesAsked(ask: Ask, choices: Choices): PlanAsked {
  const widest: Range = choices.verb === "rerun_downstream" ? "all_final" : "all";
  return toAsked(ask, { ...choices, quick: false, options: { ...choices.options, range: widest, pick: undefined } });
}

/** Why the button cannot be pressed yet: a key of `blocked.*`, or nothing. */
export function blocked(
  plan: { steps: readonly unknown[]; refused?: string; reason_required?: boolean } | undefined,
  reason: string,
  requiredSeen: boolean,
): "planning" | "refused" | "nothing" | "required" | "reason" | null {
  if (!plan) return "planning";
  if (plan.refused) return "refused";
  if (plan.steps.length === 0) return "nothing";
  if (!requiredSeen) return "required";
  if (plan.reason_required && !reason.trim()) return "reason";
  return null;
}

/** Tomorrow 08:00 by the clock of `now`'s own zone. */
export function tomorrowMorning(now: Date): Date {
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1, 8, 0, 0, 0);
}

export const inOneHour = (now: Date) => new Date(now.getTime() + 3_600_000);
