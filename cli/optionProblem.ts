import { suggestion } from "../components/core/suggestion";

/**
 * What is wrong with a command line that Node.js refuses, in one line, with the option that may have been meant.
 * @param error of `parseArgs`
 * @param options the names that there are, without dashes
 */
export function optionProblem(error: unknown, options: readonly string[]): string {
  const { message } = error as Error;
  // What follows is about arguments that begin with a dash, which no command takes.
  const [line = message] = message.split(/\. To specify a positional|\n/);
  const unknown = /^Unknown option '--?([^']+)'/.exec(line)?.[1];
  if (unknown === undefined) return line;
  const close = suggestion(unknown, options);
  return `There is no option --${unknown}${close === undefined ? "." : `: did you mean --${close}?`}`;
}
