import { readFileSync } from "node:fs";
import { type RequestCounts } from "../transitions/countingBucket";
import { one, type Metric } from "./metrics";

/** Requests by kind. */
export function bucketRequests(requests: Readonly<RequestCounts>): Metric {
  return {
    name: "bucket_requests_total",
    type: "counter",
    help: "Requests of the manager to the bucket, by kind.",
    values: Object.entries(requests).map(([kind, value]) => ({ labels: `kind="${kind}"`, value })),
  };
}

/** Memory of mariadbd. */
export function engineMemory(pid: number): Metric {
  return one("engine_resident_bytes", "gauge", "Resident memory of mariadbd.", residentBytes(pid));
}

/** Resident memory of a process; undefined where there is no such process, or no Linux to ask. @param pid 0 for none */
export function residentBytes(pid: number): number | undefined {
  if (pid === 0) return undefined;
  try {
    const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
  } catch {
    return undefined;
  }
}
