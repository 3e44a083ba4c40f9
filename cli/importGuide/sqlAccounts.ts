/** A user that a text creates. Its password is not kept. */
export interface SqlUser {
  name: string;
  host: string;
  grants: { database: string; privileges: string[] }[];
}

/** What the SQL in a text makes. */
export interface SqlAccounts {
  databases: string[];
  users: SqlUser[];
}

const quote = "['\"`]?";
const createDatabase = new RegExp(
  `\\bCREATE\\s+(?:DATABASE|SCHEMA)\\s+(?:IF\\s+NOT\\s+EXISTS\\s+)?${quote}([\\w$-]{1,64})${quote}`,
  "gi",
);
const createUser = new RegExp(
  `\\bCREATE\\s+(?:OR\\s+REPLACE\\s+)?USER\\s+(?:IF\\s+NOT\\s+EXISTS\\s+)?${quote}([\\w.-]{1,128})${quote}(?:@${quote}([\\w.%:/-]{1,255})${quote})?`,
  "gi",
);
const grant = new RegExp(
  `\\bGRANT\\s+([A-Z,\\s]{1,400}?)\\s+ON\\s+${quote}([\\w$*-]{1,64})${quote}\\.[\\w*\`]{1,66}\\s+TO\\s+${quote}([\\w.-]{1,128})${quote}`,
  "gi",
);

/** Databases, users and grants that the texts create, each once: scripts and Jobs of a hand-made deployment run such SQL. */
export function accountsIn(texts: Iterable<string>): SqlAccounts {
  const databases = new Set<string>();
  const users = new Map<string, SqlUser>();
  for (const text of texts) {
    for (const [, name = ""] of text.matchAll(createDatabase)) databases.add(name);
    for (const [, name = "", host = "%"] of text.matchAll(createUser)) {
      if (!users.has(name)) users.set(name, { name, host, grants: [] });
    }
    for (const [, privileges = "", database = "", name = ""] of text.matchAll(grant)) {
      const grants = users.get(name)?.grants;
      const asked = privileges.split(",").map(privilege => privilege.trim().replace(/\s+/g, " ").toUpperCase());
      const known = grants?.find(other => other.database === database);
      if (known) known.privileges = [...new Set([...known.privileges, ...asked])];
      else grants?.push({ database, privileges: asked });
    }
  }
  return { databases: [...databases], users: [...users.values()] };
}
