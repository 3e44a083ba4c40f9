import type { LiveClock, Surroundings } from "./surroundings";

/** What is over sooner needs no word. Milliseconds. */
const silentFor = 1000;
/** In a log, a line for each stage, and now and then one more, is enough. Milliseconds. */
const lineEvery = 10_000;

/** Says what a command waits for: on a terminal in one line that changes, elsewhere in a line for each stage. */
export class Progress {
  private readonly began: number;
  private shownAt = -Infinity;
  private shown = "";
  private stage = "";

  constructor(
    private readonly stream: Surroundings["error"],
    private readonly clock: LiveClock,
  ) {
    this.began = clock.now();
  }

  /** Call it as often as there is something to look at. */
  say(text: string): void {
    const now = this.clock.now();
    if (now - this.began < silentFor) return;
    const line = `${text} (${Math.floor((now - this.began) / 1000)} s)`;
    if (line === this.shown) return;
    if (this.stream.isTTY) this.stream.write(`\r\u001b[K${line}`);
    else if (text === this.stage && now - this.shownAt < lineEvery) return;
    else this.stream.write(`${line}\n`);
    this.shown = line;
    this.stage = text;
    this.shownAt = now;
  }

  /** Makes room for the result. */
  end(): void {
    if (this.stream.isTTY && this.shown !== "") this.stream.write("\r\u001b[K");
  }
}

/** Says on a terminal what one long step is about. Logs need no word about what is over in seconds. */
export async function whileSaying<T>(
  { error, clock }: Pick<Surroundings, "error" | "clock">,
  text: string,
  work: Promise<T>,
): Promise<T> {
  if (!error.isTTY) return work;
  const progress = new Progress(error, clock);
  const timer = setInterval(() => progress.say(text), silentFor / 4);
  try {
    return await work;
  } finally {
    clearInterval(timer);
    progress.end();
  }
}
