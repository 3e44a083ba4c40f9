/** Names that are further from what was written than this share of its length are no slips of the keyboard. */
const closestShare = 0.4;

/**
 * What somebody may have meant who wrote a name that there is not.
 * @param written the unknown name
 * @param known the names that there are
 * @returns the closest of them, by the letters that differ; undefined when none is close
 */
export function suggestion(written: string, known: readonly string[]): string | undefined {
  const plain = comparable(written);
  const most = Math.max(1, Math.floor(closestShare * plain.length));
  const ranked = known
    .map(name => ({ name, distance: editDistance(plain, comparable(name), most) }))
    .filter(({ distance }) => distance <= most)
    .sort((left, right) => left.distance - right.distance);
  return ranked[0]?.name;
}

/** An error's way out for an unknown name: the close one, or all that there are. */
export function choices(written: string, known: readonly string[]): string {
  const close = suggestion(written, known);
  if (close !== undefined) return `did you mean "${close}"?`;
  return known.length === 0 ? "leave it out" : `known are ${[...known].sort().join(", ")}`;
}

function comparable(name: string): string {
  return name.toLowerCase().replaceAll(/[-_\s]/g, "");
}

/** Letters to insert, delete, replace or swap with the next one; `most` + 1 where it is more than `most`. */
function editDistance(left: string, right: string, most: number): number {
  if (Math.abs(left.length - right.length) > most) return most + 1;
  let beforeLast: number[] = [];
  let last = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const isSame = left[row - 1] === right[column - 1];
      const isSwapped = left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      current[column] = Math.min(
        last[column]! + 1,
        current[column - 1]! + 1,
        last[column - 1]! + (isSame ? 0 : 1),
        isSwapped && row > 1 && column > 1 ? beforeLast[column - 2]! + 1 : Infinity,
      );
    }
    [beforeLast, last] = [last, current];
  }
  return last[right.length]!;
}
