/** Holds the operation dialog for every page below. */
import { useCallback, useState, type ReactNode } from "react";
import type { Ask } from "../../model/verbs";
import { OperateContext } from "../../widgets/operate";
import { OperationDialog } from "./OperationDialog";

export function OperateProvider({ children }: { children: ReactNode }) {
  const [open, setOpen] = useState<{ ask: Ask; number: number }>();
  const operate = useCallback((ask: Ask) => setOpen((before) => ({ ask, number: (before?.number ?? 0) + 1 })), []);
  const close = useCallback(() => setOpen(undefined), []);
  return (
    <OperateContext.Provider value={operate}>
      {children}
      {open && <OperationDialog key={open.number} ask={open.ask} close={close} />}
    </OperateContext.Provider>
  );
}
