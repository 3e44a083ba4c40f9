import { readFileSync } from "node:fs";

/** A fenced block of a Markdown file. */
export interface CodeBlock {
  /** What stands behind the fence: `ts`, `sh`; empty for output. */
  language: string;
  text: string;
}

/** The fenced blocks of a Markdown file, in order. */
export function codeBlocksOf(file: string): CodeBlock[] {
  const blocks = readFileSync(file, "utf8").matchAll(/^```(\S*)\n(.*?)\n```$/gms);
  return [...blocks].map(([, language = "", text = ""]) => ({ language, text }));
}
