import js from "@eslint/js";
import hooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

/** features never import each other; widgets and ui know no feature; model and lib know nothing of React. */
const zone = (from, forbidden) => ({
  files: [`src/${from}/**/*.{ts,tsx}`],
  rules: {
    "no-restricted-imports": [
      "error",
      { patterns: [{ group: forbidden, message: `src/${from} may not import this: see docs/architecture.md` }] },
    ],
  },
});

export default tseslint.config(
  js.configs.recommended,
  ...tseslint.configs.recommended,
  { plugins: { "react-hooks": hooks }, rules: hooks.configs.recommended.rules },
  { ignores: ["src/api/schema.d.ts"] },
  zone("model", ["react", "antd", "../features/*", "../widgets/*", "../ui/*", "../app/*"]),
  zone("ui", ["../features/*", "../widgets/*", "../app/*"]),
  zone("widgets", ["../features/*", "../app/*"]),
);
