import type { Ports } from "../base/ports";
import type { Alarm, Refusal } from "../decide/view";

/** What keeps a manager from its work, told in its log and as Kubernetes Events: each once, and not again while it lasts. */
export class Troubles {
  /** Why nobody can become primary without help; empty while all is well. */
  alarm = "";
  /** Why this node touches nothing; undefined: it need not refuse. */
  refusal: Refusal | undefined;
  private alarmReason: string | undefined;

  constructor(private readonly ports: Pick<Ports, "log" | "kubernetes">) {}

  refuse(refusal: Refusal): void {
    if (this.refusal?.message !== refusal.message) this.tell(refusal);
    this.refusal = refusal;
  }

  /** What this node was refused for is mended. */
  endRefusal(): void {
    if (this.refusal) this.ports.log("info", "the refusal has ended", { reason: this.refusal.reason });
    this.refusal = undefined;
  }

  /** @param alarm undefined: all is well again */
  raise(alarm: Alarm | undefined): void {
    this.alarm = alarm?.message ?? "";
    if (alarm?.reason === this.alarmReason) return;
    this.alarmReason = alarm?.reason;
    // A refusal has been told where it was found.
    if (alarm && !this.refusal) this.tell(alarm);
  }

  private tell({ reason, message }: Alarm): void {
    this.ports.log("error", message, { reason });
    this.ports.kubernetes.event("Warning", reason, message);
  }
}
