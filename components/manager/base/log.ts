import { Log } from "./ports";

/** One JSON object a line on stdout, beside the engine's own log on stderr. */
export function jsonLog(pod: string): Log {
  return (level, message, fields) => {
    const line = { time: new Date().toISOString(), level, pod, message, ...fields };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  };
}
