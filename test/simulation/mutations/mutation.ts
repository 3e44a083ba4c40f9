import { decide } from "../../../components/manager/decide/decide";
import type { Ports } from "../../../components/manager/base/ports";

/** A rule of docs/store.md or docs/failover.md that is switched off. */
export interface Mutation {
  /** The section and the number, with a letter where a rule has several parts. */
  rule: string;
  without: string;
  /** What the simulation says then: one that it notices by something else has not been noticed. */
  shows: RegExp;
  /** Families of schedules in which the rule matters. Default: all. */
  families?: readonly string[];
  /** Of how many schedules it may need, where it takes several rare things in a row. Default: as many as are asked for. */
  schedules?: number;
  /** Made anew for each manager. */
  decide?: () => typeof decide;
  /** In place of each node's own. */
  watchdog?: Ports["watchdog"];
  /** Switches it off in the code. @returns what switches it on again */
  off?: () => () => void;
}

/** A row that somebody shows wrong, at any position. */
export const wrongRow = /by scan and .* by point read/;
/** An acknowledged write that is gone. */
export const lostWrite = /, acknowledged by .* by scan and|is not there any more/;
/** The log has a commit without one that it can rest on, or a client has an answer too early. */
export const unordered = /which was acknowledged .* before that was begun|acknowledges \d+, which is not in the log/;
/** Nobody writes any more. */
export const standstill = /writes have not come back|not every pod has the label|did not come up/;

/** Any of these. */
export function anyOf(...some: RegExp[]): RegExp {
  return new RegExp(some.map(({ source }) => source).join("|"));
}
