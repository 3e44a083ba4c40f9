import { ConformanceSection } from "./test";
import { durability } from "./tests/durability";
import { followers } from "./tests/followers";
import { restarts } from "./tests/restarts";
import { roles } from "./tests/roles";
import { tables } from "./tests/tables";

/** All that model and engine are held to. */
export const sections: readonly ConformanceSection[] = [roles, durability, followers, restarts, tables];
