import { PeerStatus } from "./ports";

/** The peers that follow the primary. */
export function followersAmong(peers: readonly PeerStatus[]): PeerStatus[] {
  return peers.filter(({ following }) => following === "following");
}
