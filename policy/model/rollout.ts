import { type Field } from "./field";
import { numberOf } from "./podCount";

/** The part of a workload's strategy by which an update stops all of its pods at once, if it does. */
export function stopsAllAtOnce(workload: Field, pods: number): Field | undefined {
  for (const name of ["strategy", "updateStrategy"]) {
    const strategy = workload.at("spec", name);
    if (strategy.at("type").text === "Recreate") return strategy.at("type");
    const unavailable = strategy.at("rollingUpdate", "maxUnavailable");
    if (unavailable.isPresent && numberOf(unavailable.text, pods) >= pods) return unavailable;
  }
  return undefined;
}
