import { StoredObject } from "./ports";

/** One page of a listing. */
export interface ListingPage {
  /** Keys are whole. ETags are without their quotes. */
  objects: StoredObject[];
  /** What the next page is asked for with; empty on the last one. */
  continuationToken: string;
}

/**
 * Reads the answer to ListObjectsV2. It is flat: no element of interest holds another of its name, has attributes, or is written with CDATA, so that no XML parser is needed.
 * @throws when the text is no whole listing
 */
export function parseListing(xml: string): ListingPage {
  if (!/<ListBucketResult[\s>]/.test(xml) || !xml.trimEnd().endsWith("</ListBucketResult>"))
    throw new Error("the object store's listing is incomplete");
  const objects = [...xml.matchAll(/<Contents>([^]*?)<\/Contents>/g)].map(([, content = ""]) => ({
    key: element(content, "Key"),
    size: Number(element(content, "Size")),
    etag: element(content, "ETag").replaceAll('"', ""),
  }));
  const around = xml.replaceAll(/<Contents>[^]*?<\/Contents>/g, "");
  const truncated = element(around, "IsTruncated") === "true";
  return { objects, continuationToken: truncated ? element(around, "NextContinuationToken") : "" };
}

function element(xml: string, name: string): string {
  const start = xml.indexOf(`<${name}>`);
  if (start < 0) return "";
  const from = start + name.length + 2;
  return decoded(xml.slice(from, xml.indexOf(`</${name}>`, from)));
}

const entities: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function decoded(text: string): string {
  return text.replaceAll(
    /&(?:#x([\da-f]+)|#(\d+)|(\w+));/gi,
    (whole, hexadecimal?: string, decimal?: string, name = "") => {
      const code = hexadecimal ? parseInt(hexadecimal, 16) : Number(decimal);
      return Number.isNaN(code) ? (entities[String(name)] ?? whole) : String.fromCodePoint(code);
    },
  );
}
