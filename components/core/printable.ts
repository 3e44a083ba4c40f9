/** The rest of a longer text says nothing more about what is wrong with it. Characters. */
const longestShown = 60;

/** A refused text as an error may show it: short, on one line, and without control characters. Never for secrets. */
export function printable(text: string): string {
  const shown = text.replace(/[^\x20-\x7e]/g, "?");
  return shown.length > longestShown ? `${shown.slice(0, longestShown)}...` : shown;
}
