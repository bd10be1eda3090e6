/** The operations that touched this instance. */
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { instanceOperationsQuery } from "../../api/operations";
import { Loading, Nothing, Trouble } from "../../ui/States";
import { OperationDrawer, OperationList } from "../../widgets/OperationList";

export function OperationsTab({ id, operation, open }: { id: number; operation?: number; open: (operation?: number) => void }) {
  const { t } = useTranslation();
  const query = useQuery(instanceOperationsQuery(id));
  if (query.isPending) return <Loading />;
  if (query.isError) return <Trouble error={query.error} retry={() => void query.refetch()} />;
  return (
    <>
      {query.data.items.length === 0 ? <div className="panel"><Nothing title={t("history.empty")} hint={t("history.empty_hint")} /></div> : <OperationList items={query.data.items} open={open} />}
      <OperationDrawer operation={operation} close={() => open(undefined)} show={open} />
    </>
  );
}
