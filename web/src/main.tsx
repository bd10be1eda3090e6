/** Where the app starts. */
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { App as AntApp, ConfigProvider } from "antd";
import enUS from "antd/locale/en_US";
import zhCN from "antd/locale/zh_CN";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Problem } from "./api/client";
import { makeRouter } from "./app/router";
import { SettingsProvider, useSettings } from "./app/settings";
import { themeConfig } from "./app/theme";
import "./app/global.css";
import "./i18n";

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      refetchOnWindowFocus: false,
      /** A refusal will not change by asking again; a silent server may. */
      retry: (count, error) => !(error instanceof Problem && error.status < 500) && count < 3,
    },
  },
});
const router = makeRouter(queries);

function Themed() {
  const { dark, language } = useSettings();
  return (
    <ConfigProvider theme={themeConfig(dark)} locale={language === "zh" ? zhCN : enUS}>
      <AntApp component={false}>
        <RouterProvider router={router} />
      </AntApp>
    </ConfigProvider>
  );
}

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <SettingsProvider>
        <Themed />
      </SettingsProvider>
    </QueryClientProvider>
  </StrictMode>,
);
