import { WalScanner } from "./scanner";

/** Somebody asks for what is new in the WALs. */
export interface LookRequest {
  /** It asks only what is there, and for nothing to be submitted. */
  isPeek: boolean;
  /** Milliseconds, monotonic. */
  since: number;
  generation?: number;
  until?: number;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/** Those whose blocks were all found, and those that wait for a place that is not filled yet. @param scanners by generation */
export function apart(
  asked: readonly LookRequest[],
  scanners: ReadonlyMap<number, WalScanner>,
): [served: LookRequest[], early: LookRequest[]] {
  const served: LookRequest[] = [];
  const early: LookRequest[] = [];
  for (const request of asked) {
    const { generation = -1, until = 0 } = request;
    const scanner = scanners.get(generation);
    (scanner && scanner.readUntil < until ? early : served).push(request);
  }
  return [served, early];
}
