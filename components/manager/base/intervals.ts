/** The manager looks at the world this often. Milliseconds. */
export const tickMilliseconds = 200;
/** A peer that does not say how it is within so long does not count. Milliseconds. */
export const peerTimeout = 300;
/** A node that gave the Lease back lets others take it for so long. Milliseconds. */
export const backoffAfterRelease = 2000;
/** A node that was too late for the Lease does not ask again for so long. Milliseconds. */
export const pauseAfterLostRace = 300;

/** How often each thing is looked at, in milliseconds. Idle, a replica asks the API server 0.9 times a second and a primary once, its renewals included. */
export const intervals = {
  podsOfPrimary: 5000,
  podsOfReplica: 30_000,
  /** While nobody holds the Lease, or another primary asks to be confirmed. */
  podsInDoubt: 2000,
  askForHolder: 500,
  rollout: 300,
};
