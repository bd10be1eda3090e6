/** What a person chose for this browser: theme, time zone, language, density; kept in local storage. */
import { createContext, useCallback, useContext, useEffect, useMemo, useState, type ReactNode } from "react";
import i18n, { preferredLanguage, type Language } from "../i18n";
import type { ZoneChoice } from "../model/time";
import { ZoneContext } from "../ui/Instant";

export type ThemeChoice = "system" | "light" | "dark";

interface Settings {
  theme: ThemeChoice;
  dark: boolean;
  zone: ZoneChoice;
  language: Language;
  set: (change: Partial<Pick<Settings, "theme" | "zone" | "language">>) => void;
}

const SettingsContext = createContext<Settings | null>(null);

const kept = <T extends string>(name: string, allowed: readonly T[], otherwise: T): T => {
  const value = localStorage.getItem(`fieldwise.${name}`) as T | null;
  return value && allowed.includes(value) ? value : otherwise;
};

export function SettingsProvider({ children }: { children: ReactNode }) {
  const [theme, setTheme] = useState(() => kept<ThemeChoice>("theme", ["system", "light", "dark"], "system"));
  const [zone, setZone] = useState(() => kept<ZoneChoice>("zone", ["project", "local", "utc"], "project"));
  const [language, setLanguage] = useState<Language>(preferredLanguage);
  const [systemDark, setSystemDark] = useState(() => matchMedia("(prefers-color-scheme: dark)").matches);

  useEffect(() => {
    const media = matchMedia("(prefers-color-scheme: dark)");
    const follow = () => setSystemDark(media.matches);
    media.addEventListener("change", follow);
    return () => media.removeEventListener("change", follow);
  }, []);

  const dark = theme === "dark" || (theme === "system" && systemDark);

  useEffect(() => {
    document.documentElement.dataset.theme = dark ? "dark" : "light";
    document.documentElement.style.colorScheme = dark ? "dark" : "light";
  }, [dark]);

  useEffect(() => {
    document.documentElement.lang = language;
    void i18n.changeLanguage(language);
  }, [language]);

  const set = useCallback<Settings["set"]>((change) => {
    for (const [name, value] of Object.entries(change)) localStorage.setItem(`fieldwise.${name}`, value);
    if (change.theme) setTheme(change.theme);
    if (change.zone) setZone(change.zone);
    if (change.language) setLanguage(change.language);
  }, []);

  const value = useMemo(() => ({ theme, dark, zone, language, set }), [theme, dark, zone, language, set]);
  return (
    <SettingsContext.Provider value={value}>
      <ZoneContext.Provider value={zone}>{children}</ZoneContext.Provider>
    </SettingsContext.Provider>
  );
}

export function useSettings(): Settings {
  const settings = useContext(SettingsContext);
  if (!settings) throw new Error("useSettings outside SettingsProvider");
  return settings;
}
