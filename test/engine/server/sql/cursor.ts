import { SqlError, sqlErrors } from "../sqlError";
import { Token, tokenise } from "./tokens";

/** Goes through the tokens of one request. */
export class Cursor {
  private index = 0;
  /** Parameters that were passed over. */
  parameters = 0;
  private readonly tokens: Token[];

  constructor(private readonly text: string) {
    this.tokens = tokenise(text);
  }

  get token(): Token {
    return this.tokens[this.index] ?? this.tokens.at(-1)!;
  }

  next(): Token {
    const { token } = this;
    if (token.kind !== "end") this.index++;
    return token;
  }

  /** This place, to come back to. */
  mark(): number {
    return this.index;
  }

  rewind(mark: number): void {
    this.index = mark;
  }

  /** Whether the next tokens are these words, in any case. */
  peek(...words: string[]): boolean {
    return words.every((word, i) => {
      const token = this.tokens[this.index + i];
      return token?.kind === "word" && token.text.toUpperCase() === word;
    });
  }

  /** Passes over these words, if they come next. */
  accept(...words: string[]): boolean {
    const present = this.peek(...words);
    if (present) this.index += words.length;
    return present;
  }

  acceptOneOf(...words: string[]): string | undefined {
    return words.find(word => this.accept(word));
  }

  expect(...words: string[]): void {
    if (!this.accept(...words)) throw this.syntax();
  }

  peekSymbol(symbol: string): boolean {
    return this.token.kind === "symbol" && this.token.text === symbol;
  }

  acceptSymbol(...symbols: string[]): string | undefined {
    const present = symbols.find(symbol => this.peekSymbol(symbol));
    if (present !== undefined) this.index++;
    return present;
  }

  expectSymbol(symbol: string): void {
    if (this.acceptSymbol(symbol) === undefined) throw this.syntax();
  }

  /** A name, in backticks or not. */
  name(): string {
    const { token } = this;
    if (token.kind !== "word" && token.kind !== "name") throw this.syntax();
    this.index++;
    return token.text;
  }

  string(): string {
    const { token } = this;
    if (token.kind !== "string") throw this.syntax();
    this.index++;
    return token.text;
  }

  nameOrString(): string {
    return this.token.kind === "string" ? this.string() : this.name();
  }

  /** One or more, with commas between. */
  list<T>(item: () => T): T[] {
    const items = [item()];
    while (this.acceptSymbol(",") !== undefined) items.push(item());
    return items;
  }

  inParentheses<T>(content: () => T): T {
    this.expectSymbol("(");
    const result = content();
    this.expectSymbol(")");
    return result;
  }

  get atEnd(): boolean {
    return this.token.kind === "end" || this.peekSymbol(";");
  }

  /** What was passed over from this token on, as written. */
  source(from: Token): string {
    return this.text.slice(from.at, this.tokens[this.index - 1]?.end);
  }

  /** The error that names this place. */
  syntax(): SqlError {
    return sqlErrors.syntax(this.text.slice(this.token.at));
  }
}
