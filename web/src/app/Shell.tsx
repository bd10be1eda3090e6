/** The frame around every page: navigation, environment, language, theme, zone, live state, shortcuts. */
import { AppstoreOutlined, BulbOutlined, ConsoleSqlOutlined, DashboardOutlined, GlobalOutlined, HistoryOutlined, QuestionCircleOutlined, UnorderedListOutlined } from "@ant-design/icons";
import { useQueryClient } from "@tanstack/react-query";
import { Link, Outlet, useLocation, useNavigate } from "@tanstack/react-router";
import { Button, Menu, Modal, Select, Tag } from "antd";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { followEvents, type LiveState } from "../api/events";
import { ZONE_CHOICES } from "../model/time";
import { OperateProvider } from "../features/operations/OperateProvider";
import { useSettings, type ThemeChoice } from "./settings";

const PAGES = [
  { path: "/", key: "overview", icon: <DashboardOutlined />, letter: "o" },
  { path: "/instances", key: "instances", icon: <UnorderedListOutlined />, letter: "i" },
  { path: "/operations", key: "operations", icon: <HistoryOutlined />, letter: "h" },
  { path: "/tables", key: "tables", icon: <AppstoreOutlined />, letter: "t" },
  { path: "/sql", key: "sql", icon: <ConsoleSqlOutlined />, letter: "s" },
] as const;

const THEMES: readonly ThemeChoice[] = ["system", "light", "dark"];

const typing = (target: EventTarget | null) =>
  target instanceof HTMLElement && (target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName));

export function Shell() {
  const { t } = useTranslation();
  const { theme, zone, language, set } = useSettings();
  const queries = useQueryClient();
  const location = useLocation();
  const navigate = useNavigate();
  const [live, setLive] = useState<LiveState>("connecting");
  const [help, setHelp] = useState(false);

  useEffect(() => followEvents(queries, setLive), [queries]);

  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (document.querySelector(".ant-modal-wrap:not([style*='display: none'])") || typing(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "?") setHelp(true);
      if (event.key === "/") {
        const search = document.querySelector<HTMLInputElement>("[data-search] input, input[data-search]");
        if (search) {
          event.preventDefault();
          search.focus();
        }
      }
      const page = PAGES.find(({ letter }) => letter === event.key);
      if (page) void navigate({ to: page.path });
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, [navigate]);

  const current = location.pathname === "/" ? "/" : `/${location.pathname.split("/")[1]}`;
  return (
    <div className="shell">
      <a className="skip" href="#content">{t("app.skip")}</a>
      <aside className="side">
        <Link to="/" className="brand">
          <img src="/mark.svg" alt="" />
          <div><b>{t("app.name")}</b><span>{t("app.tagline")}</span></div>
        </Link>
        <nav aria-label={t("nav.main")}>
          <Menu
            mode="inline" selectedKeys={[current]}
            items={PAGES.map((page) => ({ key: page.path, icon: page.icon, label: <Link to={page.path}>{t(`nav.${page.key}`)}</Link> }))}
          />
        </nav>
        <footer role="status"><span className={`dot ${live}`} /><span className="word">{t(`live.${live}`)}</span></footer>
      </aside>
      <div className="main">
        <div className="top" role="banner">
          <Tag color="green">{t("environment.prod")}</Tag>
          <span className="grow" />
          <Select
            aria-label={t("zone.label")} size="small" variant="borderless" suffixIcon={<GlobalOutlined />} value={zone} popupMatchSelectWidth={false}
            onChange={(next) => set({ zone: next })} options={ZONE_CHOICES.map((value) => ({ value, label: t(`zone.${value}`) }))}
          />
          <Select
            aria-label={t("language.label")} size="small" variant="borderless" value={language} popupMatchSelectWidth={false}
            onChange={(next) => set({ language: next })} options={[{ value: "en", label: t("language.en") }, { value: "zh", label: t("language.zh") }]}
          />
          <Select
            aria-label={t("theme.system")} size="small" variant="borderless" suffixIcon={<BulbOutlined />} value={theme} popupMatchSelectWidth={false}
            onChange={(next) => set({ theme: next })} options={THEMES.map((value) => ({ value, label: t(`theme.${value}`) }))}
          />
          <Button type="text" size="small" aria-label={t("common.keyboard")} icon={<QuestionCircleOutlined />} onClick={() => setHelp(true)} />
        </div>
        <main className="page" id="content" tabIndex={-1}><OperateProvider><Outlet /></OperateProvider></main>
      </div>
      <Modal open={help} onCancel={() => setHelp(false)} footer={null} title={t("keys.title")} width={360}>
        {[...PAGES.map((page) => [page.letter, t(`keys.${page.key}`)] as const), ["/", t("keys.search")] as const, ["?", t("keys.help")] as const].map(([key, words]) => (
          <p key={key}><kbd className="chip mono">{key}</kbd> {words}</p>
        ))}
      </Modal>
    </div>
  );
}
