import { checks } from "./checks";
import { asJson } from "./format/json";
import { asJunit } from "./format/junit";
import { asSarif } from "./format/sarif";
import { asText } from "./format/text";
import { type Verdict } from "./judge";

/** Formats of a verdict. */
export const ReportFormat = { text: "text", json: "json", junit: "junit", sarif: "sarif" } as const;
export type ReportFormat = (typeof ReportFormat)[keyof typeof ReportFormat];

/** What a report needs beside the verdict. */
export interface ReportContext {
  /** The program's main file, relative to the repository. */
  programFile: string;
  /** Colour in the text format. */
  colour: boolean;
}

/** A verdict in one of the formats. */
export function report(verdict: Verdict, format: ReportFormat, { programFile, colour }: ReportContext): string {
  switch (format) {
    case ReportFormat.text:
      return asText(verdict, { colour });
    case ReportFormat.json:
      return asJson(verdict);
    case ReportFormat.junit:
      return asJunit(verdict, checks);
    case ReportFormat.sarif:
      return asSarif(verdict, { programFile, checks });
  }
}
