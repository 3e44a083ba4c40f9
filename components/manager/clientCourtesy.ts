import { text } from "./lanes";
import { Ports } from "./ports";

/** A writer that is fenced takes no more writes, and gets this long to send what it has acknowledged, where the deadline leaves so much. Milliseconds. */
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
  told.catch((error: unknown) => log("warning", "a fenced server was not told", { error: text(error) }));
  await clock.sleep(courtesy);
}

/** Takes no more writes. Sessions that wait get no answer: their client does not take the write for kept. @throws when the server does not do either of both */
export async function stopWrites(engine: Writer, timeoutMilliseconds: number): Promise<void> {
  const stopped = await Promise.allSettled([
    engine.endSessions(timeoutMilliseconds),
    engine.setReadOnly(true, timeoutMilliseconds),
  ]);
  const failed = stopped.find(result => result.status === "rejected");
  if (failed) throw failed.reason;
}

type Writer = Pick<Ports["engine"], "setReadOnly" | "endSessions">;
