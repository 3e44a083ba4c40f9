import { gunzipSync, inflateSync } from "node:zlib";

/** More than any file that a machine is started with; a bomb of compressed zeros stops here. Bytes. */
const mostDecodedBytes = 4 * 1024 * 1024;
/** Shortest base64 that is decoded: shorter words are base64 by chance. */
const shortestEncoded = 16;

/** The text that base64 stands for, decompressed where it is gzip; undefined when it is not base64 of a text. */
export function decoded(value: string): string | undefined {
  const packed = value.replaceAll(/\s/g, "");
  if (packed.length < shortestEncoded || !/^[A-Za-z0-9+/_-]+={0,2}$/.test(packed)) return undefined;
  return readable(Buffer.from(packed, "base64"));
}

/** Bytes as text, decompressed where they are gzip or zlib; undefined when they are no text. */
function readable(bytes: Buffer): string | undefined {
  const text = unpacked(bytes).toString("utf8");
  // eslint-disable-next-line no-control-regex
  return text === "" || /[\u0000-\u0008\u000e-\u001f\uFFFD]/.test(text) ? undefined : text;
}

function unpacked(bytes: Buffer): Buffer {
  try {
    if (bytes[0] === 0x1f && bytes[1] === 0x8b) return gunzipSync(bytes, { maxOutputLength: mostDecodedBytes });
    if (bytes[0] === 0x78 && (bytes[0] * 256 + (bytes[1] ?? 0)) % 31 === 0)
      return inflateSync(bytes, { maxOutputLength: mostDecodedBytes });
  } catch {
    // Neither, or too much: what is there is read as it is.
  }
  return bytes;
}

/** The text of a MIME message with its parts decoded, as cloud-init takes it; any other text is itself. */
export function withDecodedParts(text: string): string {
  const [, boundary] = /^content-type:\s*multipart\/[^\n]*boundary="?([^"\n;]+)/im.exec(text.slice(0, 2000)) ?? [];
  if (boundary === undefined) return text;
  return text
    .split(`--${boundary.trim()}`)
    .map(part => {
      const [head = "", ...body] = part.split(/\r?\n\r?\n/);
      if (!/content-transfer-encoding:\s*base64/i.test(head)) return part;
      const content = body.join("\n\n");
      return `${head}\n\n${decoded(content) ?? content}`;
    })
    .join("\n");
}
