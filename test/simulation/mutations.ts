import type { decide } from "../../components/manager/decide";
import type { Ports } from "../../components/manager/ports";
import type { SimulatedNode } from "./node";
import type { World } from "./world";

/** A rule that is switched off, in what a manager decides or in what it sees and does. */
export interface Mutation {
  /** As in docs/failover.md, with a letter where a rule has several parts. */
  rule: string;
  without: string;
  decide?: (node: SimulatedNode, world: World) => typeof decide;
  ports?: (ports: Ports, node: SimulatedNode, world: World) => Ports;
}

export const mutations: readonly Mutation[] = [];
