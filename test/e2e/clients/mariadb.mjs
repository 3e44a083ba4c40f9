// Writes rows with the mariadb connector through the Secret's string as it is: see ../clientPrograms.ts.
import { readFileSync } from "node:fs";
import console from "node:console";
import process, { env, exit, stdin } from "node:process";
import { setTimeout as pause } from "node:timers/promises";
import mariadb from "mariadb";

const pool = mariadb.createPool(readFileSync(`${env.SECRET}/mariadb`, "utf8"));
// As docs/connect.md says: the connector has removed its handlers when a server that goes away amid the TLS handshake makes the socket report it. The pool goes on by itself.
process.on("uncaughtException", error => {
  if (error.code !== "ECONNRESET") throw error;
  console.error(error.message);
});
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
