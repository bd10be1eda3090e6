/** Every operation there was, newest first, under filters in the URL. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { Button, DatePicker, Input, Select } from "antd";
import dayjs from "dayjs";
import { useTranslation } from "react-i18next";
import { operationsQuery } from "../../api/operations";
import { historyFiltered, SOURCES, toHistoryFilters, type HistorySearch } from "../../model/history";
import { VERBS } from "../../model/verbs";
import { Loading, Nothing, Trouble } from "../../ui/States";
import { OperationDrawer, OperationList } from "../../widgets/OperationList";

interface Props {
  search: HistorySearch;
  change: (search: HistorySearch) => void;
}

export function HistoryPage({ search, change }: Props) {
  const { t } = useTranslation();
  const list = useInfiniteQuery(operationsQuery(toHistoryFilters(search)));
  const items = list.data?.pages.flatMap((page) => page.items) ?? [];
  const set = (next: Partial<HistorySearch>) => change({ ...search, ...next });
  const text = (key: "object" | "operator", label: string, width: number) => (
    <Input.Search key={`${key}${search[key] ?? ""}`} data-search={key === "object" || undefined} allowClear style={{ width }} placeholder={label} aria-label={label} defaultValue={search[key]} onSearch={(value) => set({ [key]: value.trim() || undefined })} />
  );
  return (
    <>
      <header className="page-head"><h1>{t("history.title")}</h1><span className="quiet">{t("history.hint")}</span></header>
      <div className="filters" role="search">
        {text("object", t("history.object"), 210)}
        <Select allowClear showSearch style={{ minWidth: 190 }} placeholder={t("history.verb")} aria-label={t("history.verb")} value={search.verb} onChange={(verb?: string) => set({ verb })} options={VERBS.map((value) => ({ value, label: t(`verb.${value}`) }))} />
        {text("operator", t("history.operator"), 160)}
        <Select allowClear style={{ minWidth: 120 }} placeholder={t("history.source")} aria-label={t("history.source")} value={search.source} onChange={(source?: string) => set({ source })} options={SOURCES.map((value) => ({ value, label: t(`source.${value}`) }))} />
        <DatePicker.RangePicker
          allowEmpty={[true, true]} aria-label={t("history.at")} placeholder={[t("history.from"), t("history.to")]} value={[search.from ? dayjs(search.from) : null, search.to ? dayjs(search.to) : null]}
          onChange={(range) => set({ from: range?.[0]?.format("YYYY-MM-DD"), to: range?.[1]?.format("YYYY-MM-DD") })}
        />
        {historyFiltered(search) && <Button type="link" onClick={() => change({})}>{t("list.clear")}</Button>}
      </div>
      {list.isPending ? (
        <Loading rows={10} />
      ) : list.isError ? (
        <Trouble error={list.error} retry={() => void list.refetch()} />
      ) : items.length === 0 ? (
        <div className="panel"><Nothing title={historyFiltered(search) ? t("history.no_match") : t("history.empty")} hint={historyFiltered(search) ? undefined : t("history.empty_hint")} /></div>
      ) : (
        <>
          <OperationList items={items} open={(operation) => set({ operation })} />
          {list.hasNextPage && <p style={{ textAlign: "center" }}><Button loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>{t("history.more")}</Button></p>}
        </>
      )}
      <OperationDrawer operation={search.operation} close={() => set({ operation: undefined })} show={(operation) => set({ operation })} />
    </>
  );
}
