// Writes rows with mysql2 through the Secret's string as it is: see ../clientPrograms.ts.
import { readFileSync } from "node:fs";
import console from "node:console";
import { env, exit, stdin } from "node:process";
import { setTimeout as pause } from "node:timers/promises";
import mysql from "mysql2/promise";

const pool = mysql.createPool(readFileSync(`${env.SECRET}/mysql2`, "utf8"));
stdin.resume().on("end", () => exit(0));
for (let id = 1; ; id++) {
  try {
    await pool.query(`INSERT INTO ${env.TABLE} (id) VALUES (${id})`);
    console.log(id);
  } catch (error) {
    console.error(error.message);
  }
  await pause(50);
}
