import { describe, expect, it } from "vitest";
import { en } from "./en";
import { zh } from "./zh";

const flat = (texts: object, path = ""): [string, string][] =>
  Object.entries(texts).flatMap(([key, value]) =>
    typeof value === "string" ? [[path + key, value] as [string, string]] : flat(value as object, `${path}${key}.`),
  );

describe("texts", () => {
  it("exist in both languages, none empty", () => {
    expect(flat(zh).map(([key]) => key)).toEqual(flat(en).map(([key]) => key));
    expect([...flat(en), ...flat(zh)].filter(([, text]) => !text.trim())).toEqual([]);
  });
  it("keep their placeholders in translation", () => {
    const marks = (text: string) => (text.match(/\{\{\w+\}\}/g) ?? []).sort();
    const chinese = new Map(flat(zh));
    for (const [key, text] of flat(en)) expect(marks(chinese.get(key)!), key).toEqual(marks(text));
  });
});
