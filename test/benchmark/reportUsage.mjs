// Loaded before a measured program: writes what the process used to its fourth stream when it ends.
import { writeSync } from "node:fs";
import process from "node:process";

process.on("exit", () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  writeSync(3, JSON.stringify({ cpuMilliseconds: (userCPUTime + systemCPUTime) / 1000, peakMebibytes: maxRSS / 1024 }));
});
