// Writes rows with the mariadb connector through the Secret's string as it is: see ../clientPrograms.ts.
import { readFileSync } from "node:fs";
import console from "node:console";
import { env, exit, stdin } from "node:process";
import { setTimeout as pause } from "node:timers/promises";
import mariadb from "mariadb";

const pool = mariadb.createPool(readFileSync(`${env.SECRET}/mariadb`, "utf8"));
stdin.resume().on("end", () => exit(0));
for (let id = 1; ; id++) {
  try {
    await pool.query(`INSERT INTO ${env.TABLE} (id) VALUES (${id})`);
    console.log(id);
  } catch (error) {
    console.error(error.cause?.message ?? error.message);
  }
  await pause(50);
}
