/** The verbs of one instance or of some of its fields as a menu: the same on lists, graph and header. */
import { Link, useNavigate } from "@tanstack/react-router";
import { Button, Dropdown, Tooltip, type MenuProps } from "antd";
import { DownOutlined, MoreOutlined } from "@ant-design/icons";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { unmetRules, type Unmet } from "../model/emergency";
import { eligible, FIELD_MENU, isDangerous, MENU, type Verb } from "../model/verbs";
import { useOperate } from "./operate";

export interface Target {
  id: number;
  object: string;
  data_timestamp: string;
  kind?: string;
  type?: string;
  timezone?: string;
  /** statuses that occur */
  statuses: readonly string[];
  marks?: readonly string[];
  fields?: readonly string[];
}

type Items = NonNullable<MenuProps["items"]>;

/** Whatever the place of the pointer, a menu fits above or below it; what lies deeper opens by a press and stays. */
export const menuOf = (items: Items): MenuProps => ({ items, triggerSubMenuAction: "click", style: { maxHeight: "min(480px, 48vh)", overflowY: "auto" } });

/** Makes the menu of a target; `links` adds where one can go from it. */
export function useVerbMenu(): (target: Target, links?: boolean) => Items {
  const { t } = useTranslation();
  const operate = useOperate();
  const navigate = useNavigate();

  const said = (one: Unmet) => {
    if (one.rule === "status") return t("emergency.rule_status", { is: t(`status.${one.is}`, one.is) });
    if (one.rule === "data_timestamp") return t("emergency.rule_data_timestamp", { first: one.first, second: one.second, is: one.is });
    if (one.rule === "administrator") return t("emergency.rule_administrator", { project: one.project });
    return t("emergency.rule_not_recurring");
  };

  return (target, links = false) => {
    const press = (verb: Verb) => operate({ verb, instances: [target.id], object: `${target.object} ${target.data_timestamp}`, fields: target.fields ? [...target.fields] : null });
    const item = (verb: Verb): Items[number] => {
      const possible = eligible(verb, target.statuses, target.marks);
      return {
        key: verb, danger: isDangerous(verb) && possible, disabled: !possible, onClick: () => press(verb),
        label: <Tooltip placement="right" mouseEnterDelay={0.5} title={possible ? t(`help.${verb}`) : t(`not_possible.${verb}`, t("not_possible.any"))}><span>{t(`verb.${verb}`)}</span></Tooltip>,
      };
    };
    const groups = (target.fields ? FIELD_MENU : MENU).map((group) => group.map(item));
    /** What changes no status lies one level deeper, so that the menu fits on small screens. */
    const settings = target.fields ? undefined : groups.pop();
    const items: Items = groups.flatMap((group, n) => (n ? [{ type: "divider" as const, key: `line${n}` }, ...group] : group));
    if (!settings) return items;
    items.push({ type: "divider", key: "line-settings" }, { key: "settings", label: t("operate.settings"), children: settings });
    const project = target.object.split(".")[0] ?? "";
    const rules = unmetRules({ ...target, project }, new Date());
    items.push(
      {
        key: "emergency", label: t("emergency.menu"),
        children: [{
          key: "wizard", danger: rules.length === 0, disabled: rules.length > 0, onClick: () => void navigate({ to: "/emergency/$instance", params: { instance: String(target.id) } }),
          label: rules.length ? <Tooltip title={<ul className="plain">{rules.map((one) => <li key={one.rule}>{said(one)}</li>)}</ul>}><span>{t("emergency.title")}</span></Tooltip> : t("emergency.title"),
        }],
      },
    );
    if (links) {
      const to = (tab: "graph" | "fields" | "runs" | "code" | "lineage" | "operations") => <Link to="/instances/$id" params={{ id: String(target.id) }} search={{ tab }}>{t(`instance.${tab}`)}</Link>;
      items.push({ type: "divider", key: "line-links" }, { key: "open", label: t("operate.open"), children: (["graph", "fields", "runs", "code", "lineage", "operations"] as const).filter((tab) => target.kind !== "integration" || tab !== "lineage").map((tab) => ({ key: tab, label: to(tab) })) });
    }
    return items;
  };
}

/** "⋯" at the end of a row. */
export function RowMenu({ items, disabled, label }: { items: Items; disabled?: boolean; label: string }) {
  return (
    <Dropdown trigger={["click"]} menu={menuOf(items)} disabled={disabled} destroyOnHidden>
      <Button type="text" size="small" aria-label={label} icon={<MoreOutlined />} disabled={disabled} />
    </Dropdown>
  );
}

/** A button with the menu below. */
export function MenuButton({ items, children }: { items: Items; children: ReactNode }) {
  return (
    <Dropdown trigger={["click"]} menu={menuOf(items)} destroyOnHidden>
      <Button size="small" icon={<DownOutlined />} iconPlacement="end">{children}</Button>
    </Dropdown>
  );
}
