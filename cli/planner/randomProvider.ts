import { randomBytes, randomInt, randomUUID } from "node:crypto";
import { type Creation, type LocalProvider, withSecrets } from "./localProvider";
import { unknown, type PlannedValue } from "./values";

const lower = "abcdefghijklmnopqrstuvwxyz";
const upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const digits = "0123456789";
/** The provider's own default set. */
const special = "!@#$%&*()-_=+[]{}<>:?";

/** The resources of the provider `random`, with the arguments and defaults of its schema. */
export const createRandom: LocalProvider = (type, inputs) => {
  switch (type) {
    case "random:index/randomPassword:RandomPassword":
      return password(inputs);
    case "random:index/randomString:RandomString":
      return string(inputs);
    case "random:index/randomUuid:RandomUuid":
    case "random:index/randomUuid4:RandomUuid4": {
      const result = randomUUID();
      return { id: result, outputs: { result } };
    }
    case "random:index/randomBytes:RandomBytes": {
      const bytes = randomBytes(Number(inputs.length));
      const outputs = { base64: bytes.toString("base64"), hex: bytes.toString("hex") };
      return { id: "none", outputs: withSecrets(outputs, "base64", "hex") };
    }
    case "random:index/randomId:RandomId":
      return identifier(inputs);
    case "random:index/randomInteger:RandomInteger": {
      const result = randomInt(Number(inputs.min), Number(inputs.max) + 1);
      return { id: String(result), outputs: { result } };
    }
    default:
      return undefined;
  }
};

function password(inputs: Record<string, unknown>): Creation {
  const { result, ...defaults } = characters(inputs);
  return { id: "none", outputs: withSecrets({ ...defaults, result, bcryptHash: unknown }, "result", "bcryptHash") };
}

function string(inputs: Record<string, unknown>): Creation {
  const outputs = characters(inputs);
  return { id: outputs.result, outputs };
}

function characters(inputs: Record<string, unknown>): Record<string, PlannedValue> & { result: string } {
  const overrideSpecial = typeof inputs.overrideSpecial === "string" ? inputs.overrideSpecial : "";
  const sets = [
    { name: "Lower", characters: lower, wanted: inputs.lower !== false },
    { name: "Upper", characters: upper, wanted: inputs.upper !== false },
    { name: "Numeric", characters: digits, wanted: (inputs.numeric ?? inputs.number) !== false },
    { name: "Special", characters: overrideSpecial || special, wanted: inputs.special !== false },
  ];
  const length = Number(inputs.length);
  const chosen: string[] = [];
  const outputs: Record<string, PlannedValue> = {};
  for (const set of sets) {
    const minimum = Number(inputs[`min${set.name}`] ?? 0);
    for (let made = 0; made < minimum; made++) chosen.push(pick(set.characters));
    outputs[set.name.toLowerCase()] = set.wanted;
    outputs[`min${set.name}`] = minimum;
  }
  const all = sets.map(set => (set.wanted ? set.characters : "")).join("");
  while (chosen.length < length) chosen.push(pick(all));
  return { ...outputs, length, result: shuffled(chosen).join("") };
}

function pick(characterSet: string): string {
  return characterSet.charAt(randomInt(characterSet.length));
}

function shuffled(items: string[]): string[] {
  const result = [...items];
  for (let last = result.length - 1; last > 0; last--) {
    const other = randomInt(last + 1);
    [result[last], result[other]] = [result[other] ?? "", result[last] ?? ""];
  }
  return result;
}

function identifier(inputs: Record<string, unknown>): Creation {
  const bytes = randomBytes(Number(inputs.byteLength));
  const prefix = typeof inputs.prefix === "string" ? inputs.prefix : "";
  const outputs = {
    b64Std: prefix + bytes.toString("base64"),
    b64Url: prefix + bytes.toString("base64url"),
    hex: prefix + bytes.toString("hex"),
    dec: prefix + BigInt(`0x${bytes.toString("hex")}`).toString(),
  };
  return { id: bytes.toString("base64url"), outputs };
}
