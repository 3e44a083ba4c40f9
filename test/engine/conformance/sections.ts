import { ConformanceSection } from "./test";
import { behindTheStore } from "./tests/behindTheStore";
import { durability } from "./tests/durability";
import { files } from "./tests/files";
import { followers } from "./tests/followers";
import { restarts } from "./tests/restarts";
import { roles } from "./tests/roles";
import { tables } from "./tests/tables";

/** All that model and engine are held to. */
export const sections: readonly ConformanceSection[] = [
  roles,
  durability,
  followers,
  restarts,
  tables,
  files,
  behindTheStore,
];
