import { Monotonic } from "../base/ports";
import { Rival } from "../decide/view";
import { SealEntry } from "../store/log/entry";

/** Notices that another deployment writes to this database's log: its seal is the last one, and the log grows. */
export class RivalWatch {
  private seal: SealEntry | undefined;
  private position: number | undefined;
  private seenAt: Monotonic = -Infinity;
  private grewAt: Monotonic | undefined;

  /** @param own of this deployment; undefined: nobody is told apart */
  constructor(private readonly own: string | undefined) {}

  /** The log was read. @param seal that began the present epoch; undefined: not known */
  saw(seal: SealEntry | undefined, position: number, now: Monotonic): void {
    const grew = this.position !== undefined && position > this.position;
    if (seal?.position !== this.seal?.position) {
      this.seenAt = now;
      this.grewAt = undefined;
    }
    if (grew) this.grewAt = now;
    this.seal = seal;
    this.position = position;
  }

  /** Whose seal the last one is, where it is another deployment's. @param epoch the present one: that of this node's own seal may be newer */
  rival(epoch: number): Rival | undefined {
    const { seal, own } = this;
    if (!seal || own === undefined || seal.cluster === undefined) return undefined;
    if (seal.cluster === own || seal.nextEpoch !== epoch) return undefined;
    const { author, cluster } = seal;
    return { author, cluster, quietSince: this.grewAt ?? this.seenAt, grows: this.grewAt !== undefined };
  }
}
