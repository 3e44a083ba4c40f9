import { Ports } from "../../components/manager/ports";
import { HandoverStep, handoverSteps, PromotionStep, promotionSteps } from "../../components/manager/steps";
import type { SimulatedNode } from "./node";
import type { World } from "./world";

/** Springs once, on the first node that comes to a step and calls something outside in it. */
export interface Trap {
  step: PromotionStep | HandoverStep;
  /** Before the call has its effect, or after that and before its answer. */
  phase: "before" | "after";
  /** Only when this node comes to the step; undefined: any. */
  node: SimulatedNode | undefined;
  spring: (node: SimulatedNode) => void;
}

/** The ports of a node, with a look at the world's trap at each call. */
export function withTraps(ports: Ports, node: SimulatedNode, world: World): Ports {
  const watch = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(object, property) {
        const member: unknown = Reflect.get(object, property);
        if (typeof member !== "function") return member;
        if (!world.trap) return (member as () => unknown).bind(object);
        return (...parameters: unknown[]): unknown => {
          const trap = comesTo(world, node);
          if (trap?.phase === "before") spring(trap, node, world);
          const result: unknown = Reflect.apply(member, object, parameters);
          if (trap?.phase !== "after") return result;
          if (result instanceof Promise) return result.finally(() => spring(trap, node, world));
          // A look at this node's own state is no call.
          world.trap = trap;
          return result;
        };
      },
    });
  const { kubernetes, store, engine, volume } = ports;
  return { ...ports, kubernetes: watch(kubernetes), store: watch(store), engine: watch(engine), volume: watch(volume) };
}

/** The trap, taken away from the world, when this is its moment. */
function comesTo(world: World, node: SimulatedNode): Trap | undefined {
  const { trap } = world;
  if (!trap || !node.manager || (trap.node && trap.node !== node)) return undefined;
  const { promotion, handover } = node.manager.view();
  const step = promotion ? promotionSteps[promotion.completed] : handover && handoverSteps[handover.completed];
  if (step !== trap.step) return undefined;
  world.trap = undefined;
  return trap;
}

function spring(trap: Trap, node: SimulatedNode, world: World): void {
  world.say(`FAULT ${node.pod} falls into the trap at ${trap.step}, ${trap.phase} a call's effect`);
  trap.spring(node);
}
