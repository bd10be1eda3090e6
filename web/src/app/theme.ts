/** Our own look on Ant Design's tokens: calm surfaces, one accent, small radii, readable tables. */
import { theme as antd, type ThemeConfig } from "antd";

const FONT = '"Inter", "Segoe UI", system-ui, -apple-system, "Noto Sans", "Noto Sans SC", "PingFang SC", sans-serif';

export function themeConfig(dark: boolean): ThemeConfig {
  return {
    algorithm: dark ? antd.darkAlgorithm : antd.defaultAlgorithm,
    token: {
      colorPrimary: dark ? "#2dd4bf" : "#0f766e",
      colorInfo: dark ? "#2dd4bf" : "#0f766e",
      colorLink: dark ? "#5eead4" : "#0f766e",
      colorTextLightSolid: dark ? "#042f2e" : "#ffffff",
      colorBgBase: dark ? "#12191d" : "#ffffff",
      colorBgContainer: dark ? "#12191d" : "#ffffff",
      colorBgElevated: dark ? "#19232a" : "#ffffff",
      colorBgLayout: dark ? "#0b1013" : "#f4f6f7",
      colorBorder: dark ? "#33424c" : "#cdd5da",
      colorBorderSecondary: dark ? "#26323a" : "#e4e9ec",
      colorTextBase: dark ? "#e6edf0" : "#15212b",
      borderRadius: 6,
      fontFamily: FONT,
      fontSize: 14,
      wireframe: false,
    },
    components: {
      Layout: { headerBg: "transparent", siderBg: "transparent" },
      Table: { headerBg: dark ? "#19232a" : "#eef1f3", headerSortActiveBg: dark ? "#202c34" : "#e6ebee", bodySortBg: "transparent", rowSelectedBg: dark ? "#10312f" : "#e0f2ef", rowSelectedHoverBg: dark ? "#143a37" : "#d3ebe7", fixedHeaderSortActiveBg: dark ? "#202c34" : "#e6ebee", cellPaddingBlockSM: 7, headerSplitColor: "transparent" },
      Menu: {
        itemBg: "transparent", subMenuItemBg: "transparent", activeBarBorderWidth: 0,
        itemSelectedBg: dark ? "#10312f" : "#e0f2ef", itemSelectedColor: dark ? "#5eead4" : "#0f766e", itemHeight: 38,
      },
      Card: { headerFontSize: 14 },
      Tabs: { horizontalMargin: "0 0 12px 0" },
    },
  };
}
