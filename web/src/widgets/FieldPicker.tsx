/** Fields to choose: what goes along is locked on, groups go together, what cannot be chosen says why. */
import { useQuery } from "@tanstack/react-query";
import { Checkbox, Input, Select, Tag } from "antd";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { choicesQuery, type Verb } from "../api/operations";
import { filterChoices, selectable, toggleField, type ChoiceFilter } from "../model/plan";
import { STATUS_LOOK, type AnyStatus } from "../model/status";
import { StatusWords } from "../ui/Status";
import { Loading, Nothing, Trouble } from "../ui/States";

interface Props {
  instance: number;
  verb: Verb;
  chosen: readonly string[];
  change: (fields: string[]) => void;
}

export const FIELD_STATUSES = ["failed", "running", "waiting", "not_running", "succeeded"] as const;

export function FieldPicker({ instance, verb, chosen, change }: Props) {
  const { t } = useTranslation();
  const [filter, setFilter] = useState<ChoiceFilter>({});
  const query = useQuery(choicesQuery(instance, verb, chosen));
  const shown = useMemo(() => filterChoices(query.data ?? [], filter), [query.data, filter]);
  if (query.isPending) return <Loading rows={4} />;
  if (query.isError) return <Trouble error={query.error} retry={() => void query.refetch()} />;
  const all = selectable(shown);
  const ticked = all.filter((field) => chosen.includes(field)).length;
  const goAlong = query.data.filter(({ state, field }) => state === "required" && !chosen.includes(field)).length;
  return (
    <div className="picker">
      <div className="filters" role="search">
        <Input allowClear size="small" style={{ width: 200 }} placeholder={t("instance.search_field")} aria-label={t("instance.search_field")} value={filter.text} onChange={(event) => setFilter({ ...filter, text: event.target.value })} />
        <Select
          allowClear size="small" style={{ width: 150 }} placeholder={t("instance.filter_status")} aria-label={t("instance.filter_status")} value={filter.status}
          onChange={(status) => setFilter({ ...filter, status })} options={FIELD_STATUSES.map((value) => ({ value, label: t(`status.${value}`) }))}
        />
        <Checkbox checked={filter.requiredFirst} onChange={(event) => setFilter({ ...filter, requiredFirst: event.target.checked })}>{t("picker.required_first")}</Checkbox>
        <span className="grow" />
        <span className="quiet" role="status">{t("picker.chosen", { count: chosen.length })}{goAlong > 0 && ` · ${t("picker.go_along", { count: goAlong })}`}</span>
      </div>
      <Checkbox
        checked={all.length > 0 && ticked === all.length} indeterminate={ticked > 0 && ticked < all.length} disabled={all.length === 0}
        onChange={(event) => change(event.target.checked ? [...new Set([...chosen, ...all])] : chosen.filter((field) => !all.includes(field)))}
      >
        {t("picker.all_shown")}
      </Checkbox>
      <ul className="picker-list">
        {shown.map((choice) => {
          const locked = choice.state === "required" && !chosen.includes(choice.field);
          const because = choice.because || (choice.state === "group" ? t("picker.group", { fields: (choice.group ?? []).join(", ") }) : "");
          return (
            <li key={choice.field} className={choice.state}>
              <Checkbox checked={locked || chosen.includes(choice.field)} disabled={locked || choice.state === "disabled"} onChange={() => change(toggleField(chosen, choice))}>{choice.field}</Checkbox>
              {choice.key && <span className="chip key">{t("instance.key_field")}</span>}
              {locked && <Tag color="gold">{t("picker.required")}</Tag>}
              <span className="quiet because">{because}</span>
              {choice.status in STATUS_LOOK && <StatusWords status={choice.status as AnyStatus} />}
            </li>
          );
        })}
      </ul>
      {shown.length === 0 && <Nothing title={t("instance.no_match")} />}
    </div>
  );
}
