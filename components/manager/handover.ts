import { engineObjects, Inherited, missingInBucket, walGeneration } from "./comparison";
import { copyDefinitions } from "./definitions";
import { followersAmong } from "./followers";
import { PeerStatus, Ports } from "./ports";
import { HandoverStep } from "./steps";
import { Monotonic, OwnerRecord } from "./view";

/** What the steps of leaving in order need of the node. */
export interface HandoverContext {
  ports: Ports;
  pod: string;
  owner: { record: OwnerRecord; etag: string } | undefined;
  onOwner: (owner: { record: OwnerRecord; etag: string }) => void;
  /** What this node had of others when it was promoted. */
  inherited: Inherited;
  /** Whether the Lease is still this node's, and has time left. */
  holds: () => boolean;
  /** Whether it is, and the engine alive. Waiting ends when not. */
  mayGoOn: () => boolean;
  /** The successor that a person asked for, or that has proved to reach the bucket. */
  wanted?: string;
  /** Pods of the StatefulSet. */
  nodes: number;
  /** This pod is about to be killed: whatever can be left out is. */
  hurries: () => boolean;
  /** The followers that lacked nothing when this handover began. */
  sound: ReadonlySet<string>;
  /** The label is being taken off; never rejected. */
  onStripping: (done: Promise<void>) => void;
  onSound: (pods: ReadonlySet<string>) => void;
  /** Flushes, not close to a flush for replicas that join, and after `before`. */
  flushBetweenJoins: (before: () => Promise<void>, timeoutMilliseconds: number) => Promise<void>;
  /** Looks for tables that were dropped and created again. */
  forgetRevived: () => Promise<void>;
  /** Sends to the bucket what the engine has lost sight of. */
  sendEverything: () => Promise<void>;
  /** Has a peer take to the bucket whatever it lacks. */
  sendThroughPeer: () => Promise<void>;
  /** When the bucket was last found to lack something, or a replica to open it, since this handover began. */
  disturbedAt: () => Monotonic | undefined;
  onDisturbed: () => void;
  /** The number of the next heartbeat. */
  nextBeat: () => number;
  onLastBeat: (beat: number) => void;
  /** The last heartbeat, once it was written. */
  beat?: number;
  onFlushed: (isCertain: boolean) => void;
  /** Everything that was written before the last WAL's file is in tables' files. */
  hasFlushed: boolean;
  /** Gives the Lease back, naming the pod that should take it next. */
  release: (preferredSuccessor: string) => Promise<void>;
}

const callTimeout = 1500;
const flushTimeout = 30_000;
/** The engine answers after four seconds though it may not have flushed everything yet; one that answered before has. Milliseconds. */
const flushIsCertainWithin = 3000;
/** A long transaction has to be rolled back. Milliseconds. */
const readOnlyTimeout = 30_000;
/** Beyond it the handover goes on: its own flush has more time. Milliseconds. */
const flushAheadTimeout = 10_000;
const passTimeout = 5000;
/** A re-seeded replica follows again after 5 to 10 s. Milliseconds. */
const successorTimeout = 15_000;
/** A replica opens the bucket in 1 to 5 s; one has been in the way of a handover only where the bucket had failed before. Milliseconds. */
const openingTimeout = 5000;
const soundTimeout = 1500;
const compareEvery = 50;
/** A follower goes by what it has read for one look at the bucket, which takes this long at least, and two requests for each manifest and WAL object. Milliseconds. */
const shortestLook = 500;
const longestLook = 5000;
/** Replicas that open the bucket one after the other do not delay a handover without bound. Milliseconds. */
const comparisonsTake = 15_000;
const requestsEach = 2;
const askTimeout = 400;
/** A pod that is about to be killed waits so long for commits that are under way, and for its last heartbeat. Milliseconds. */
const hurriedTimeout = 600;
const hurriedFlushTimeout = 1000;
/** What the engine has not sent after so long is sent by the manager. Milliseconds. */
const helpAfter = 1500;
const manifestTakes = 300;
const sendAgainAfter = 500;
/** One peer is asked for so long to take to the bucket what it lacks. Milliseconds. */
const relayFor = 10_000;

/** Carries out one step. @throws with the reason when the node cannot leave in order; it then keeps the Lease until that runs out. */
export async function handoverStep(step: HandoverStep, context: HandoverContext): Promise<void> {
  await steps[step](context);
}

/** Whether there is time to wait for followers. */
function mayWait({ hurries, mayGoOn }: HandoverContext): boolean {
  return !hurries() && mayGoOn();
}

/** Followers look at the WAL's generation from time to time: one that misses a change is re-seeded and cannot be the successor. Gives up after a while. */
async function followersPass(context: HandoverContext): Promise<void> {
  const { clock, engine } = context.ports;
  const generation = await engine.walGeneration();
  for (const until = clock.now() + passTimeout; clock.now() < until && mayWait(context);) {
    if ((await followers(context)).every(peer => peer.generation >= generation)) return;
    await clock.sleep(compareEvery);
  }
}

/** A flush may have merged files that a follower was about to look for: it has to be re-seeded then, and must not be chosen. Gives up after a while. */
async function successorIsThere(context: HandoverContext): Promise<void> {
  const { clock, engine, peers } = context.ports;
  const began = clock.now();
  for (;;) {
    const generation = await engine.walGeneration();
    const all = await followers(context);
    const sound = new Set<string>();
    for (const { pod } of all.filter(peer => peer.generation >= generation))
      if (await peers.isSound(pod, soundTimeout).catch(() => false)) sound.add(pod);
    context.onSound(sound);
    const waited = clock.now() - began;
    // A follower that is being re-seeded writes old manifests over this node's: better before the writes stop.
    if (sound.size > 0 && (sound.size >= context.nodes - 1 || waited > passTimeout)) return;
    if (waited > successorTimeout || !mayWait(context)) return;
    await clock.sleep(compareEvery);
  }
}

/** A replica that opens the bucket puts the manifests that it has read back over newer ones: it has done so before the last comparison. Gives up after a while. */
async function nobodyOpens(context: HandoverContext): Promise<void> {
  const { clock } = context.ports;
  const until = clock.now() + (context.hurries() ? askTimeout : openingTimeout);
  while (clock.now() < until && context.holds()) {
    if (!(await askPeers(context)).some(({ opens }) => opens)) return;
    await clock.sleep(compareEvery);
  }
}

/** Who opens the bucket may put an old manifest over a new one, for others to read. */
async function askPeers({ ports, onDisturbed }: HandoverContext): Promise<PeerStatus[]> {
  const all = await ports.peers.askAll(askTimeout);
  if (all.some(({ opens }) => opens)) onDisturbed();
  return all;
}

/** A follower that has read an old manifest deletes, from the bucket too, the files that it does not name: until it has read the right one. For how long at most. */
async function lookTakes({ ports }: HandoverContext): Promise<number> {
  const { clock, store } = ports;
  const objects = await engineObjects(store, 2 * callTimeout);
  const read = objects.filter(({ key }) => key.endsWith("/MANIFEST") || walGeneration(key) !== undefined);
  const began = clock.now();
  await store.readEngineEpoch(callTimeout);
  return Math.min(longestLook, shortestLook + requestsEach * read.length * (clock.now() - began));
}

async function followers(context: HandoverContext): Promise<PeerStatus[]> {
  return followersAmong(await askPeers(context));
}

const steps: { [S in HandoverStep]: (this: void, context: HandoverContext) => Promise<void> } = {
  async flushAhead(context) {
    if (context.hurries()) return;
    const { store, log } = context.ports;
    try {
      await context.forgetRevived();
      await context.flushBetweenJoins(() => followersPass(context), flushAheadTimeout);
      await copyDefinitions(store, log, callTimeout);
      await followersPass(context);
      if (context.nodes > 1) await successorIsThere(context);
    } catch (error) {
      log("warning", "the flush before the handover failed", { error: String(error) });
    }
  },

  stripOwnLabel({ ports, pod, onStripping }) {
    // Clients are told first, but nothing waits for the API server: read_only refuses them in any case.
    const done = ports.kubernetes.setRole(pod, "none", callTimeout).catch((error: unknown) => {
      ports.log("warning", "the primary's label could not be removed", { error: String(error) });
    });
    onStripping(done);
    return Promise.resolve();
  },

  async setReadOnly({ ports }) {
    await ports.engine.setReadOnly(true, callTimeout).catch(async () => {
      // A long transaction keeps read_only waiting: end it, and ask again.
      await ports.engine.endSessions(callTimeout);
      await ports.engine.setReadOnly(true, readOnlyTimeout);
    });
  },

  async endSessions({ ports }) {
    await ports.engine.endSessions(callTimeout);
  },

  async flush({ ports: { engine, clock }, onFlushed }) {
    const began = clock.now();
    await engine.flush(flushTimeout);
    onFlushed(clock.now() - began < flushIsCertainWithin);
  },

  async lastBeat(context) {
    const { engine } = context.ports;
    const beat = context.nextBeat();
    const epoch = context.owner?.record.epoch ?? 0;
    await engine.writeHeartbeat({ epoch, beat, generation: await engine.walGeneration() }, callTimeout);
    context.onLastBeat(beat);
  },

  async closeInHurry(context) {
    const { engine, log, volume } = context.ports;
    const beat = context.nextBeat();
    const epoch = context.owner?.record.epoch ?? 0;
    try {
      await engine.setReadOnly(true, hurriedTimeout);
      // Followers have passed over some commits, and get them by a flush only.
      if ((await volume.walFiles()).some(({ isDisordered }) => isDisordered)) await engine.flush(hurriedFlushTimeout);
      await engine.writeHeartbeat({ epoch, beat, generation: await engine.walGeneration() }, hurriedTimeout);
      context.onLastBeat(beat);
    } catch (error) {
      log("warning", "no time was left for a last heartbeat", { error: String(error) });
    }
  },

  waitUntilUploaded: waitForBucket,

  async killEngine({ ports }) {
    await ports.engine.end();
  },

  async dropFlushedWals({ ports, hasFlushed }) {
    if (hasFlushed) await ports.volume.dropFlushedWals();
  },

  async sendThroughPeer(context) {
    // Then another peer may have more luck.
    const until = context.ports.clock.now() + relayFor;
    await insistOn(context.sendThroughPeer, context, "a peer could not upload everything yet", until);
  },

  async sendEverything(context) {
    await insistOn(context.sendEverything, context, "what the engine had not uploaded could not be uploaded yet");
  },

  async compareAgain(context) {
    const { clock } = context.ports;
    const until = clock.now() + comparisonsTake;
    for (;;) {
      await nobodyOpens(context);
      // What is in the bucket then may be another primary's.
      if (!context.holds()) throw new Error("the lease was lost while a replica opened the bucket");
      await context.sendEverything();
      const disturbedAt = context.disturbedAt();
      if (disturbedAt === undefined || context.hurries() || clock.now() > until) return;
      if (clock.now() - disturbedAt > (await lookTakes(context))) return;
      await clock.sleep(compareEvery);
    }
  },

  async markClean(context) {
    // Nobody has waited until followers go by the right manifests: who takes over must have followed.
    if (context.hurries() && context.disturbedAt() !== undefined) return;
    if (!context.owner) throw new Error("owner.json was never read");
    const { record: before, etag } = context.owner;
    const lastBeat = context.beat === undefined ? undefined : { epoch: before.epoch, beat: context.beat };
    const record = { ...before, clean: true, ...(lastBeat && { lastBeat }) };
    context.onOwner({ record, etag: await context.ports.store.writeOwner(record, etag, callTimeout) });
  },

  async noteLastBeat(context) {
    const { beat, owner, ports } = context;
    if (beat === undefined || !owner) return;
    const record = { ...owner.record, lastBeat: { epoch: owner.record.epoch, beat } };
    context.onOwner({ record, etag: await ports.store.writeOwner(record, owner.etag, callTimeout) });
  },

  async release(context) {
    // Chosen only now that nothing is written any more: the most advanced of those that answer.
    const all = await followers(context);
    const sound = all.filter(peer => context.sound.has(peer.pod));
    const peers = sound.length > 0 ? sound : all;
    const updated = await updatedPods(context);
    const wanted = peers.find(peer => peer.pod === context.wanted) ?? peers.find(peer => updated.has(peer.pod));
    peers.sort((a, b) => b.epoch - a.epoch || b.beat - a.beat || (a.pod < b.pod ? -1 : 1));
    await context.release((wanted ?? peers[0])?.pod ?? "");
  },
};

/** In the middle of a rolling update: the pods that have been replaced already, and will not be again. */
async function updatedPods({ ports, pod }: HandoverContext): Promise<Set<string>> {
  const pods = await ports.kubernetes.readPods(askTimeout).catch(() => []);
  const own = pods.find(({ name }) => name === pod)?.revision;
  return new Set(pods.filter(({ revision }) => revision !== own).map(({ name }) => name));
}

/** Sends until that works. @throws what it threw last, when the Lease is over or the time */
async function insistOn(
  send: () => Promise<void>,
  { ports: { clock, log }, holds }: HandoverContext,
  whyAgain: string,
  until: Monotonic = Infinity,
): Promise<void> {
  for (;;) {
    try {
      return await send();
    } catch (error) {
      if (!holds() || clock.now() > until) throw error;
      log("warning", whyAgain, { error: String(error) });
    }
    await clock.sleep(sendAgainAfter);
  }
}

async function waitForBucket(context: HandoverContext): Promise<void> {
  const { ports, mayGoOn } = context;
  let last: string | undefined;
  const began = ports.clock.now();
  let helpAt = began + helpAfter;
  for (;;) {
    try {
      const missing = await compare(context);
      if (missing.length === 0) return;
      const first = missing[0]?.name;
      if (first !== last) ports.log("info", "waiting for the bucket", { files: missing.length, first });
      last = first;
      const now = ports.clock.now();
      // The engine sends a manifest once. Another has been put over it by a replica that starts.
      const onlyManifests = missing.every(({ name }) => name.endsWith("/MANIFEST"));
      if (now > helpAt || (onlyManifests && now > began + manifestTakes)) {
        helpAt = now + helpAfter;
        await context.sendEverything();
      }
    } catch (error) {
      ports.log("warning", "the bucket could not be listed", { error: String(error) });
    }
    if (!mayGoOn()) throw new Error("the engine or the lease was lost while waiting for uploads");
    await ports.clock.sleep(compareEvery);
  }
}

/** The files first, then the bucket: an upload in between is no false alarm. */
async function compare({ ports, inherited }: HandoverContext) {
  const files = await ports.volume.list();
  return missingInBucket(files, await engineObjects(ports.store, 2 * callTimeout), inherited);
}
