import { text } from "../base/lanes";
import { Ports } from "../base/ports";

/** A fenced writer stops accepting writes and gets this long to upload what it has acknowledged, if the deadline allows it. Milliseconds. */
const leastCourtesy = 150;
const mostCourtesy = 550;

/** Tells the clients of a writer that is about to be killed, and waits while what it has acknowledged is sent. @param left milliseconds until the deadline; with too few nothing is told */
export async function tellClients(
  { engine, clock, log }: Pick<Ports, "clock" | "log"> & { engine: Writer },
  left: number,
): Promise<void> {
  if (left < leastCourtesy) return;
  const courtesy = Math.min(left - leastCourtesy / 2, mostCourtesy);
  const told = Promise.all([engine.setReadOnly(true, courtesy), engine.endSessions(courtesy)]);
  told.catch((error: unknown) => log("warning", "a fenced server could not be set read-only", { error: text(error) }));
  await clock.sleep(courtesy);
}

/** Stops writes. Waiting sessions get no answer, so their clients do not take the write for acknowledged. @throws when the server does not do either of both */
export async function stopWrites(engine: Writer, timeoutMilliseconds: number): Promise<void> {
  const stopped = await Promise.allSettled([
    engine.endSessions(timeoutMilliseconds),
    engine.setReadOnly(true, timeoutMilliseconds),
  ]);
  const failed = stopped.find(result => result.status === "rejected");
  if (failed) throw failed.reason;
}

type Writer = Pick<Ports["engine"], "setReadOnly" | "endSessions">;
