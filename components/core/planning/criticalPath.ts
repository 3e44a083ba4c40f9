/** One piece of work that begins when everything that it waits for has ended. */
export interface Step {
  /** Unique among the steps. */
  id: string;
  /** How long it takes once it has begun. 0 for what takes no time that counts. */
  minutes: number;
  /** Ids of the steps that must have ended. Unknown ids take no time. */
  waitsFor: readonly string[];
}

/** Steps of which each waits for the one before. */
export interface Chain {
  steps: Step[];
  /** From the begin of the first to the end of the last. */
  minutes: number;
}

/**
 * The chain that decides when all steps have ended, however much is done at the same time. Among chains of the same length the one with more steps: it says more.
 * @throws Error when steps wait for one another in a circle
 */
export function longestChain(steps: readonly Step[]): Chain {
  const byId = new Map(steps.map(step => [step.id, step]));
  const best = new Map<string, Best>();
  let longest: Best | undefined;
  for (const step of steps) {
    const chain = best.get(step.id) ?? bestChainTo(step, byId, best);
    if (isBetter(chain, longest)) longest = chain;
  }
  const chain: Step[] = [];
  for (let at = longest; at; at = at.before) chain.push(at.step);
  return { steps: chain.reverse(), minutes: longest?.minutes ?? 0 };
}

/** The longest chain that ends with a step. */
interface Best {
  step: Step;
  minutes: number;
  count: number;
  before: Best | undefined;
}

/** Walks with a stack of its own: a chain may be longer than the call stack is deep. */
function bestChainTo(last: Step, byId: ReadonlyMap<string, Step>, best: Map<string, Best>): Best {
  const pending = [last];
  const open = new Set<string>();
  for (let step = pending.at(-1); step; step = pending.at(-1)) {
    const before = step.waitsFor.flatMap(id => byId.get(id) ?? []);
    const missing = before.filter(({ id }) => !best.has(id));
    if (missing.length === 0) {
      best.set(step.id, append(step, before, best));
      open.delete(step.id);
      pending.pop();
    } else {
      open.add(step.id);
      const circular = missing.find(({ id }) => open.has(id));
      if (circular) throw new Error(`${step.id} and ${circular.id} wait for each other`);
      pending.push(...missing);
    }
  }
  return best.get(last.id)!;
}

function append(step: Step, before: readonly Step[], best: ReadonlyMap<string, Best>): Best {
  let longest: Best | undefined;
  for (const { id } of before) {
    const chain = best.get(id)!;
    if (isBetter(chain, longest)) longest = chain;
  }
  return { step, minutes: (longest?.minutes ?? 0) + step.minutes, count: (longest?.count ?? 0) + 1, before: longest };
}

function isBetter(chain: Best, than: Best | undefined): boolean {
  if (!than || chain.minutes > than.minutes) return true;
  return chain.minutes === than.minutes && chain.count > than.count;
}
