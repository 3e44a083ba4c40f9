import { ManagerConfiguration } from "../../core/managerConfiguration";
import { PodRecord } from "../base/ports";

/** The other pods that there are to be, by the number of nodes as it is now. */
export function configuredPeers({ name, nodes }: Pick<ManagerConfiguration, "name" | "nodes">, pod: string): string[] {
  return Array.from({ length: nodes }, (_, ordinal) => `${name}-${ordinal}`).filter(other => other !== pod);
}

/**
 * The pods that have to confirm a primary while the API server is silent (rule 6): those that are configured, and all that have joined. One too many costs writes during such a silence; one too few could
 * take over unseen.
 */
export class KnownPeers {
  private readonly joined = new Set<string>();

  constructor(
    private readonly configuration: Pick<ManagerConfiguration, "name" | "nodes">,
    private readonly pod: string,
  ) {}

  /** A replica has asked to join; it may be one of which this pod's configuration does not know yet. */
  join(pod: string): void {
    if (pod !== "" && pod !== this.pod) this.joined.add(pod);
  }

  /** The API server has listed the pods: one that was taken away with a lower number of replicas, and is gone, need not confirm. */
  sawPods(pods: readonly PodRecord[]): void {
    const configured = configuredPeers(this.configuration, this.pod);
    for (const pod of this.joined) {
      if (!configured.includes(pod) && !pods.some(({ name }) => name === pod)) this.joined.delete(pod);
    }
  }

  names(): string[] {
    return [...new Set([...configuredPeers(this.configuration, this.pod), ...this.joined])];
  }
}
