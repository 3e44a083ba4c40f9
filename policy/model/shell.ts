/** A word of a shell command, with the line that it begins on. */
export interface Word {
  text: string;
  /** From 1. */
  line: number;
}

/** Longer scripts are programs, not the commands of a container. */
const longestScript = 200_000;

/**
 * The commands of a shell script, each as its words: quotes removed, and variables in place of their names where their values are known. An approximation: of loops,
 * conditions and here-documents the words are read as commands too.
 */
export function shellCommands(script: string, variables: ReadonlyMap<string, string> = new Map()): Word[][] {
  return script.length > longestScript ? [] : new ShellReader(script, new Map(variables)).commands();
}

/** A container's arguments with `$(NAME)` replaced, as the kubelet does. */
export function withVariables(argument: string, variables: ReadonlyMap<string, string>): string {
  return argument.replaceAll(/\$\(([A-Za-z_]\w*)\)/g, (written, name: string) => variables.get(name) ?? written);
}

class ShellReader {
  private position = 0;
  private line = 1;
  private readonly found: Word[][] = [];
  private command: Word[] = [];
  private word: Word | undefined;

  constructor(
    private readonly script: string,
    private readonly variables: Map<string, string>,
  ) {}

  commands(): Word[][] {
    while (this.position < this.script.length) this.read(this.next());
    this.endCommand();
    return this.found;
  }

  private read(character: string): void {
    if (/[ \t\r]/.test(character)) this.endWord();
    else if (/[\n;&|()]/.test(character)) this.endCommand();
    else if (character === "#" && !this.word) this.skipTo("\n");
    else if (character === "\\") this.escape();
    else if (character === "'") this.readLiteral();
    else if (character === '"') this.readQuoted();
    else if (character === "$") this.readExpansion(true);
    else this.append(character);
  }

  private escape(): void {
    const escaped = this.next();
    if (escaped !== "\n") this.append(escaped);
  }

  private readLiteral(): void {
    this.append("");
    const start = this.position;
    this.skipTo("'");
    this.append(this.script.slice(start, this.position));
    this.position += 1;
  }

  private readQuoted(): void {
    this.append("");
    while (this.position < this.script.length) {
      const character = this.next();
      if (character === '"') return;
      if (character === "$") this.readExpansion(false);
      else if (character === "\\" && /["\\$`\n]/.test(this.peek())) this.append(this.next());
      else this.append(character);
    }
  }

  /** A variable's value; outside of quotes it falls into words at its blanks. What is not known stays as it is written. */
  private readExpansion(splits: boolean): void {
    const rest = this.script.slice(this.position, this.position + 500);
    const [written, braced, fallback, plain] = /^(?:\{(\w+)(?::?-([^}]*))?\}|(\w+|[@*]))/.exec(rest) ?? [];
    const name = braced ?? plain;
    if (written === undefined || name === undefined) return this.append("$");
    this.position += written.length;
    const value = this.variables.get(name) ?? fallback;
    if (value === undefined) return this.append(`$${written}`);
    if (!splits && name !== "@") return this.append(value);
    for (const [index, part] of value.split(/\s+/).entries()) {
      if (index > 0) this.endWord();
      if (part !== "") this.append(part);
    }
  }

  private append(text: string): void {
    this.word ??= { text: "", line: this.line };
    this.word.text += text;
  }

  private endWord(): void {
    if (this.word) this.command.push(this.word);
    this.word = undefined;
  }

  private endCommand(): void {
    this.endWord();
    const [opener] = this.command;
    const plain = /^(?:then|do|else)$/.test(opener?.text ?? "") ? this.command.slice(1) : this.command;
    const isExport = /^(?:export|readonly|local|declare)$/.test(plain[0]?.text ?? "");
    const assigned = isExport ? plain.slice(1) : plain.slice(0, 1);
    const isAssignment = plain.length === assigned.length || isExport;
    for (const { text } of isAssignment ? assigned : []) {
      const [, name, value] = /^([A-Za-z_]\w*)=([\s\S]*)$/.exec(text) ?? [];
      if (name !== undefined) this.variables.set(name, value!);
    }
    // `set -- x y` is what `"$@"` stands for from then on.
    const [first, second, ...given] = this.command.map(({ text }) => text);
    if (first === "set" && second === "--") this.variables.set("@", given.join(" "));
    if (this.command.length > 0) this.found.push(this.command);
    this.command = [];
  }

  private skipTo(end: string): void {
    while (this.position < this.script.length && this.peek() !== end) this.next();
  }

  private peek(): string {
    return this.script[this.position] ?? "";
  }

  private next(): string {
    const character = this.peek();
    this.position += 1;
    if (character === "\n") this.line += 1;
    return character;
  }
}
