/** TypeScript where a value is to stand, and a value that checks may take for its result. */
export class Code {
  constructor(
    readonly text: string,
    readonly standIn: unknown,
  ) {}
}

/** What a program's arguments are made of. */
export type Written = string | number | boolean | Code | undefined | Written[] | { [key: string]: Written };

/** Longer than this, an object or an array takes a line for each part. Characters. */
const longestLine = 100;
const identifier = /^[A-Za-z_$][\w$]*$/;

/** A value as TypeScript. */
export function written(value: Written, indent = ""): string {
  if (value instanceof Code) return value.text;
  if (typeof value !== "object") return JSON.stringify(value);
  const deeper = `${indent}  `;
  const parts = Array.isArray(value)
    ? value.map(item => written(item, deeper))
    : Object.entries(value)
        .filter(([, part]) => part !== undefined)
        .map(([key, part]) => `${identifier.test(key) ? key : JSON.stringify(key)}: ${written(part, deeper)}`);
  const [open, close, pad] = Array.isArray(value) ? ["[", "]", ""] : ["{", "}", " "];
  if (parts.length === 0) return open + close;
  const line = `${open}${pad}${parts.join(", ")}${pad}${close}`;
  if (indent !== "" && line.length + indent.length <= longestLine && !line.includes("\n")) return line;
  return `${open}\n${parts.map(part => `${deeper}${part},\n`).join("")}${indent}${close}`;
}

/** The same value with the stand-ins in place of the code. */
export function withStandIns(value: Written): unknown {
  if (value instanceof Code) return value.standIn;
  if (Array.isArray(value)) return value.map(withStandIns);
  if (typeof value !== "object") return value;
  const entries = Object.entries(value).map(([key, part]) => [key, withStandIns(part)] as const);
  return Object.fromEntries(entries.filter(([, part]) => part !== undefined));
}

const powers: [exponent: number, bytes: number][] = [
  [3, 1024 ** 3],
  [2, 1024 ** 2],
];

/** A number of bytes as people write it. */
export function bytes(count: number): Written {
  const power = powers.find(([, size]) => count >= size && count % size === 0);
  return power ? new Code(`${count / power[1]} * 1024 ** ${power[0]}`, count) : count;
}
