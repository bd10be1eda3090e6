/** From one status to another, in words. */
import { STATUS_LOOK, type AnyStatus } from "../model/status";
import { StatusWords } from "./Status";

export function StatusOrText({ word }: { word: string }) {
  return word in STATUS_LOOK ? <StatusWords status={word as AnyStatus} /> : <span>{word.replaceAll("_", " ") || "–"}</span>;
}

export function Moved({ from, to }: { from: string; to: string }) {
  if (from === to) return <StatusOrText word={from} />;
  return <span><StatusOrText word={from} /> <span className="quiet" aria-hidden>→</span> <StatusOrText word={to} /></span>;
}
