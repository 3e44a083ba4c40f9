import { capability, characterSet, statusFlag } from "./constants";
import { PacketReader, PacketWriter } from "./packets";

/** The only way in, beside the socket's own: what a client proposes otherwise is switched to this. */
export const nativePassword = "mysql_native_password";

const offered =
  capability.longPassword |
  capability.foundRows |
  capability.longFlag |
  capability.connectWithDatabase |
  capability.ignoreSpace |
  capability.protocol41 |
  capability.interactive |
  capability.transactions |
  capability.secureConnection |
  capability.multiStatements |
  capability.multiResults |
  capability.preparedMultiResults |
  capability.pluginAuthentication |
  capability.connectionAttributes |
  capability.longAuthenticationData;

/** What the server says first. @param scramble 20 bytes, none of them 0 */
export function greeting(version: string, connectionId: number, scramble: Buffer, offersTls: boolean): Buffer {
  const capabilities = offered | (offersTls ? capability.tls : 0);
  return new PacketWriter()
    .integer(10, 1)
    .zeroTerminated(version)
    .integer(connectionId, 4)
    .bytes(scramble.subarray(0, 8))
    .zeros(1)
    .integer(capabilities & 0xffff, 2)
    .integer(characterSet.utf8mb4, 1)
    .integer(statusFlag.autocommit, 2)
    .integer(capabilities >>> 16, 2)
    .integer(scramble.length + 1, 1)
    .zeros(10)
    .bytes(scramble.subarray(8))
    .zeros(1)
    .zeroTerminated(nativePassword)
    .toBuffer();
}

/** What a client answers to the greeting. */
export interface ClientReply {
  capabilities: number;
  /** Nothing else is in the packet: the reply itself comes over TLS. */
  asksForTls: boolean;
  user: string;
  authentication: Buffer;
  database: string;
  plugin: string;
}

/** Length of the packet that asks for TLS. Bytes. */
const tlsRequestLength = 32;

export function parseReply(payload: Buffer): ClientReply {
  const reader = new PacketReader(payload);
  const capabilities = reader.integer(4);
  reader.bytes(28);
  const asksForTls = (capabilities & capability.tls) !== 0 && payload.length === tlsRequestLength;
  if (asksForTls)
    return { capabilities, asksForTls, user: "", authentication: Buffer.alloc(0), database: "", plugin: "" };
  const user = reader.zeroTerminated();
  const authentication = readAuthentication(reader, capabilities);
  const database = capabilities & capability.connectWithDatabase && reader.rest > 0 ? reader.zeroTerminated() : "";
  const plugin = capabilities & capability.pluginAuthentication && reader.rest > 0 ? reader.zeroTerminated() : "";
  return { capabilities, asksForTls, user, authentication, database, plugin };
}

/** Another user on the same connection: as a client's reply, without what the connection keeps. */
export function parseChangeUser(reader: PacketReader, capabilities: number): ClientReply {
  const user = reader.zeroTerminated();
  const authentication = reader.bytes(reader.integer(1));
  const database = reader.zeroTerminated();
  if (reader.rest >= 2) reader.bytes(2);
  const plugin = reader.rest > 0 ? reader.zeroTerminated() : "";
  return { capabilities, asksForTls: false, user, authentication, database, plugin };
}

/** Asks a client to authenticate in the server's way. */
export function switchRequest(scramble: Buffer): Buffer {
  return new PacketWriter().integer(0xfe, 1).zeroTerminated(nativePassword).bytes(scramble).zeros(1).toBuffer();
}

function readAuthentication(reader: PacketReader, capabilities: number): Buffer {
  if (capabilities & capability.longAuthenticationData) return reader.lengthEncodedBytes();
  if (capabilities & capability.secureConnection) return reader.bytes(reader.integer(1));
  return Buffer.from(reader.zeroTerminated());
}
