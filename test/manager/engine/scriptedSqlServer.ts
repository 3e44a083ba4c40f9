import * as net from "node:net";

/** What a server's greeting gives a client to mix its password with. */
export const challenge = Buffer.from("12345678901234567890");

/** The content of a packet that says OK. */
export const ok = [0, 0, 0, 2, 0, 0, 0];

/** One packet of MariaDB's protocol. */
export function packet(sequence: number, ...content: (string | number[] | Buffer)[]): Buffer {
  const payload = Buffer.concat(content.map(part => Buffer.from(part as Buffer)));
  return Buffer.concat([Buffer.from([payload.length, payload.length >> 8, payload.length >> 16, sequence]), payload]);
}

const greeting = packet(
  0,
  [10],
  "11.8.6-MariaDB\0",
  [1, 0, 0, 0],
  challenge.subarray(0, 8),
  Buffer.alloc(19),
  challenge.subarray(8),
  "\0mysql_native_password\0",
);

/** A server that greets each client, and answers the packets that it gets with these, in turn and a byte at a time; then it says nothing any more. Without answers it does not even greet. */
export async function scriptedSqlServer(
  socketPath: string,
  ...answers: ((received: Buffer) => Buffer)[]
): Promise<net.Server> {
  const listener = net.createServer(socket => {
    const say = (bytes: Buffer) => {
      for (const byte of bytes) socket.write(Buffer.from([byte]));
    };
    socket.setNoDelay(true);
    socket.on("data", data => say(answers.shift()?.(data) ?? Buffer.alloc(0)));
    socket.on("error", () => undefined);
    if (answers.length > 0) say(greeting);
  });
  await new Promise<void>(resolve => listener.listen(socketPath, resolve));
  return listener;
}
