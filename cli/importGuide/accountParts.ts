import type { Written } from "./code";
import type { Draft } from "./draft";
import type { HandMade } from "./handMade";

/** Databases and users, where SQL among the files makes them. */
export function declareAccounts(draft: Draft, { accounts }: HandMade): void {
  const { databases, users } = accounts;
  if (databases.length > 0) draft.args.databases = [...databases];
  if (users.length > 0) {
    draft.args.users = users.map(({ name, host, grants }): Written => ({
      name,
      host: host === "%" ? undefined : host,
      password: draft.fromSecret(
        passwordKey(name),
        `of the user ${name}: a new one, since the old one stands in the files`,
      ),
      grants: grants.map(({ database, privileges }) => ({ database, privileges: [...privileges] })),
    }));
    draft.change(
      "users are in place on every node at every start, with the grants below and over TLS; users made by hand are dropped",
    );
    return;
  }
  draft.change(
    "databases and users are declared in the program (none was in the files: add databases and users), and are in place on every node at every start; those made by hand are dropped",
  );
}

/** `app_user` has its password under `appUserPassword`. */
export function passwordKey(user: string): string {
  const words = user.split(/[^A-Za-z0-9]+/).filter(word => word !== "");
  const camel = words
    .map((word, index) => (index === 0 ? word : word.charAt(0).toUpperCase() + word.slice(1)))
    .join("");
  return `${camel}Password`;
}
