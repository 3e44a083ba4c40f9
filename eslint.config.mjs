import eslint from "@eslint/js";
import prettier from "eslint-config-prettier";
import tseslint from "typescript-eslint";

const pulumiAndNetwork = ["@pulumi/*", "node:http", "node:https", "node:net", "node:tls", "node:child_process"];

/** The rooms of the manager's store, from the ground up: each may use those before it. */
const storeRooms = ["bucket", "log", "wal", "flush", "volume", "view", "gateway"];

/** The rooms of the manager, from the ground up: each may use those before it. */
const managerRooms = ["store", "base", "credentials", "engine", "decide", "cluster", "peers", "transitions", "serve"];

const managerRoomRules = managerRooms.map((room, floor) => ({
  files: [`components/manager/${room}/**`],
  rules: {
    "no-restricted-imports": [
      "error",
      {
        patterns: [
          { group: ["@pulumi/*"], message: "not in a pod" },
          {
            group: [
              ...managerRooms.slice(floor + 1).map(above => `../${above}/*`),
              "../manager",
              "../start",
              "../main",
            ],
            message: `${room}/ stands below: it knows nothing of the rooms above it`,
          },
        ],
      },
    ],
  },
}));

const storeRoomRules = storeRooms.map((room, floor) => ({
  files: [`components/manager/store/${room}/**`],
  rules: {
    "no-restricted-imports": [
      "error",
      {
        patterns: [
          { group: ["@pulumi/*"], message: "not in a pod" },
          {
            group: ["../storeNode", ...storeRooms.slice(floor + 1).map(above => `../${above}/*`)],
            message: `store/${room} stands below: it knows nothing of the rooms above it`,
          },
          {
            // components/core is pure, and below everything.
            regex: String.raw`^\.\./\.\./(?!\.\./core/)`,
            message: "the store knows nothing of the manager",
          },
        ],
      },
    ],
    "max-lines": ["error", { max: 300 }],
  },
}));

export default tseslint.config(
  { ignores: ["bin/**", "node_modules/**"] },
  eslint.configs.recommended,
  ...tseslint.configs.recommendedTypeChecked,
  prettier,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": "error",
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", ignoreRestSiblings: true }],
      eqeqeq: "error",
      "max-lines": ["warn", { max: 400, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    // The pure core: plain values in, plain values out.
    files: ["components/core/**"],
    rules: {
      "no-restricted-imports": [
        "error",
        { patterns: [{ group: pulumiAndNetwork, message: "components/core is pure." }] },
      ],
      "no-restricted-globals": ["error", "fetch", "setTimeout", "setInterval", "process"],
      "no-restricted-properties": [
        "error",
        { object: "Date", property: "now" },
        { object: "Math", property: "random" },
      ],
    },
  },
  {
    // The manager runs inside the database's pod: nothing of Pulumi may enter its bundle.
    files: ["components/manager/**"],
    rules: { "no-restricted-imports": ["error", { patterns: [{ group: ["@pulumi/*"], message: "not in a pod" }] }] },
  },
  ...managerRoomRules,
  ...storeRoomRules,
  { files: ["test/**"], rules: { "@typescript-eslint/no-unused-expressions": "off", "max-lines": "off" } },
  // An example has a tsconfig.json of its own, for whoever copies it; `tsc` checks its types with the rest.
  { files: ["**/*.mjs", "**/*.js", "**/*.cjs", "examples/**"], ...tseslint.configs.disableTypeChecked },
  {
    // Runs before anything is installed, so it is plain CommonJS.
    files: ["**/*.cjs"],
    languageOptions: {
      globals: {
        require: "readonly",
        exports: "writable",
        module: "readonly",
        process: "readonly",
        console: "readonly",
        __dirname: "readonly",
      },
    },
    rules: { "@typescript-eslint/no-require-imports": "off" },
  },
);
