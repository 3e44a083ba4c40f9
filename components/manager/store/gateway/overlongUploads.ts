import { STATUS_CODES } from "node:http";
import { Socket } from "node:net";
import { EngineAnswer } from "./answer";
import { EngineRequest } from "./request";

/** Milliseconds within which the engine asks for the length of what it has sent. After that the next one is answered all the same: the engine may be told another committer's length, and sends again. */
const askedWithin = 1000;

/** An upload whose sender sends more than it has announced. */
export interface OverlongUpload {
  socket: Socket;
  request: Pick<EngineRequest, "key" | "length">;
  answer: EngineAnswer;
  /** Its engine runs still. */
  isCurrent: () => boolean;
}

/**
 * Uploads by libcurl before 8.7. Told to send a part of a file, it sends the whole file, and the rest belongs to no request: room that is reserved in the WAL, 64 MiB in all. It stops, and takes its upload for
 * done, when the answer closes the connection. The engine then asks on another connection how long the object is, and takes its upload for failed when it is told another committer's length. So such uploads are
 * answered one at a time, each after the engine has asked for the one before.
 */
export class OverlongUploads {
  private last: Promise<void> = Promise.resolve();
  private waiting: { key: string; length: number; asked: () => void } | undefined;

  /** Answers in its turn, and closes the connection when the answer has arrived. */
  answer(upload: OverlongUpload): Promise<void> {
    this.last = this.last.then(() => this.take(upload));
    return this.last;
  }

  /** A request has come: whether it asks for the upload that was answered last. */
  arrived({ method, key, connection }: Pick<EngineRequest, "method" | "key" | "connection">): void {
    const { waiting } = this;
    if (method !== "HEAD" || waiting?.key !== key || connection.sent?.key === key) return;
    connection.sent = { key, length: waiting.length };
    waiting.asked();
  }

  private async take({ socket, request: { key, length }, answer, isCurrent }: OverlongUpload): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    if (isCurrent())
      await new Promise<void>(asked => {
        this.waiting = { key, length, asked };
        timer = setTimeout(asked, askedWithin);
        socket.write(closingAnswer(answer), error => error && asked());
      });
    clearTimeout(timer);
    this.waiting = undefined;
    // What is left of the upload goes with it, unread. Earlier, the sender could meet the closed connection before it has read the answer.
    socket.destroy();
  }
}

/** Node would close the connection with it, at once. */
function closingAnswer({ status, etag }: EngineAnswer): string {
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, "content-length: 0", "connection: close"];
  if (etag !== undefined) lines.push(`etag: ${etag}`);
  return lines.map(line => `${line}\r\n`).join("") + "\r\n";
}
