/** How any page opens the one operation dialog: the frame holds it, pages and widgets only ask. */
import { createContext, useContext } from "react";
import type { Ask } from "../model/verbs";

export type Operate = (ask: Ask) => void;

export const OperateContext = createContext<Operate>(() => undefined);

export const useOperate = () => useContext(OperateContext);
