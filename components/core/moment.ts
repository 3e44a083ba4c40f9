/** A moment of a database's past: a position of its log, a time in milliseconds since 1970, or the newest there is. */
export type Moment = { position: number } | { time: number } | "latest";

/** The newest there is. */
export const newestMoment = "latest";

/** How a moment is written, for messages. */
export const momentForms = `a time with its zone, like "2026-11-29T14:03:00Z", a position of the log, like "120345", or "latest"`;

/** Reads a moment: a time with its zone (ISO 8601), a position, or `latest`. @returns undefined when it is none of them */
export function parseMoment(text: string): Moment | undefined {
  if (text === newestMoment) return newestMoment;
  if (/^\d{1,15}$/.test(text)) return { position: Number(text) };
  const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/.test(text);
  const time = isTime ? Date.parse(text) : NaN;
  return Number.isNaN(time) ? undefined : { time };
}
