/** A read-only query over the warehouse. */
import { useMutation } from "@tanstack/react-query";
import { Button, Table } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { runSql } from "../../api/queries";
import { Nothing, Trouble } from "../../ui/States";
import { CodeView } from "../../widgets/CodeView";

const show = (value: unknown) => (value === null ? <span className="quiet">NULL</span> : typeof value === "object" ? JSON.stringify(value) : String(value));

export function SqlPage() {
  const { t } = useTranslation();
  const [text, setText] = useState(() => sessionStorage.getItem("fieldwise.sql") ?? "SHOW ALL TABLES");
  const query = useMutation({ mutationFn: runSql });
  const run = () => {
    sessionStorage.setItem("fieldwise.sql", text);
    query.mutate(text);
  };
  const answer = query.data;
  return (
    <>
      <header className="page-head"><h1>{t("sql.title")}</h1><span className="quiet">{t("sql.hint")}</span></header>
      <div className="panel" onKeyDown={(event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); run(); } }}>
        <CodeView text={text} label={t("sql.title")} change={setText} maxHeight="34vh" />
        <div className="filters" style={{ margin: "10px 0 0" }}><Button type="primary" loading={query.isPending} onClick={run}>{t("sql.run")}</Button><span className="quiet">{t("sql.shortcut")}</span></div>
      </div>
      <div className="panel" style={{ marginTop: 14 }}>
        {query.isError ? (
          <Trouble error={query.error} />
        ) : !answer ? (
          <Nothing title={t("sql.empty")} />
        ) : (
          <>
            <p className="quiet" role="status">{t("sql.rows", { count: answer.rows.length })}{answer.more && `, ${t("sql.more", { count: answer.rows.length })}`}</p>
            <Table
              size="small" pagination={{ pageSize: 50, hideOnSinglePage: true, showSizeChanger: false }} scroll={{ x: "max-content" }} rowKey={(_, index) => String(index)}
              dataSource={answer.rows.map((row) => ({ row }))}
              columns={answer.columns.map((name, index) => ({ key: `${name}${index}`, title: <span title={answer.types[index]}>{name}</span>, className: "numeric", render: (_: unknown, { row }: { row: unknown[] }) => show(row[index]) }))}
            />
          </>
        )}
      </div>
    </>
  );
}
