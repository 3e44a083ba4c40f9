// Loaded into a process that goes on: answers each message of its parent with the processor time that it has taken so far.
import process from "node:process";

process.on("message", () => process.send(process.cpuUsage()));
process.channel?.unref();
