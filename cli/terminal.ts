import { styleText } from "node:util";

/** Where a report is written: how wide it may be, and how words stand out there. */
export interface Terminal {
  /** Columns. */
  width: number;
  heading: (text: string) => string;
  strong: (text: string) => string;
  faint: (text: string) => string;
  warning: (text: string) => string;
}

/** Width where there is no terminal: wide enough for names, narrow enough for a page. Columns. */
export const widthOfAPage = 100;

/** The terminal behind a stream. Colours only where a person looks, and not if NO_COLOR is set (https://no-color.org). */
export function terminalOf(stream: { isTTY?: boolean; columns?: number }, environment = process.env): Terminal {
  const isColoured = stream.isTTY === true && !environment.NO_COLOR;
  const styled = (format: Parameters<typeof styleText>[0]) => (text: string) =>
    isColoured ? styleText(format, text, { validateStream: false }) : text;
  return {
    width: stream.columns ?? widthOfAPage,
    heading: styled(["bold", "cyan"]),
    strong: styled("bold"),
    faint: styled("dim"),
    warning: styled("yellow"),
  };
}

/** A column of a table. */
export interface Column {
  align: "left" | "right";
}

/** Rows with their columns aligned, two spaces between them. Cells must not be styled yet: their length decides the width. */
export function alignedRows(rows: readonly (readonly string[])[], columns: readonly Column[]): string[][] {
  const widths = columns.map((_, index) => Math.max(0, ...rows.map(row => row[index]?.length ?? 0)));
  return rows.map(row =>
    columns.map(({ align }, index) => {
      const cell = row[index] ?? "";
      const width = widths[index] ?? 0;
      return align === "right" ? cell.padStart(width) : cell.padEnd(width);
    }),
  );
}

/** As many of the words as fit, and how many more there are. */
export function fitting(words: readonly string[], width: number): string {
  const all = words.join(", ");
  if (all.length <= width) return all;
  let shown = 0;
  let text = "";
  for (const word of words) {
    const next = text === "" ? word : `${text}, ${word}`;
    const rest = words.length - shown - 1;
    if (shown > 0 && rest > 0 && next.length + `, and ${rest} more`.length > width) break;
    text = next;
    shown++;
  }
  return shown === words.length
    ? shortened(text, width)
    : shortened(`${text}, and ${words.length - shown} more`, width);
}

/** A text that fits, with an ellipsis where its end was. */
export function shortened(text: string, width: number): string {
  return text.length <= width || width < 2 ? text : `${text.slice(0, width - 1)}…`;
}

/** A text as lines that fit, broken between words; a longer word stands alone. */
export function wrapped(text: string, width: number): string[] {
  return text.split("\n").flatMap(paragraph => {
    const lines: string[] = [];
    let line = "";
    for (const word of paragraph.split(" ")) {
      if (line !== "" && line.length + 1 + word.length > width) {
        lines.push(line);
        line = word;
      } else {
        line = line === "" ? word : `${line} ${word}`;
      }
    }
    return [...lines, line];
  });
}
