import { SstableName } from "../log/changes";

/** Numbers below this have room for a level before them. */
const numbers = 2 ** 47;

/** An SSTable's name as one number. @throws when the engine has numbered more of a table's than there is room for */
export function nameCode({ level, id }: SstableName): number {
  if (id >= numbers || level >= 64) throw new Error(`SSTable ${id} of level ${level} has no code`);
  return level * numbers + id;
}

/** Names of SSTables, 8 bytes each. It does not change. */
export class NameSet {
  private constructor(private readonly codes: Float64Array) {}

  static of(names: Iterable<SstableName>): NameSet {
    return new NameSet(Float64Array.from(names, nameCode).sort());
  }

  /** {@link nameCode} of those that the other one does not have. */
  without({ codes: others }: NameSet): number[] {
    const left: number[] = [];
    let at = 0;
    for (const code of this.codes) {
      while (at < others.length && others[at]! < code) at++;
      if (others[at] !== code) left.push(code);
    }
    return left;
  }
}

/** The reverse of {@link nameCode}. */
export function nameOfCode(code: number): SstableName {
  return { level: Math.floor(code / numbers), id: code % numbers };
}
