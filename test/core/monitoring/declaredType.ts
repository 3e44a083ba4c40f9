import ts from "typescript";

/** A type of a package's declarations, against which a value of JSON is checked, as strictly as the compiler would check a literal. */
export class DeclaredType {
  private constructor(
    private readonly checker: ts.TypeChecker,
    private readonly type: ts.Type,
  ) {}

  /**
   * The types that a text of TypeScript declares, by their names.
   * @param file whose imports are resolved as those of a module there
   */
  static of(file: string, declaration: string): Map<string, DeclaredType> {
    const options: ts.CompilerOptions = {
      module: ts.ModuleKind.Node16,
      moduleResolution: ts.ModuleResolutionKind.Node16,
      strict: true,
      skipLibCheck: true,
      noEmit: true,
      types: [],
    };
    const host = ts.createCompilerHost(options);
    const before = { ...host };
    host.fileExists = name => name === file || before.fileExists(name);
    host.readFile = name => (name === file ? declaration : before.readFile(name));
    host.getSourceFile = (name, version) =>
      name === file ? ts.createSourceFile(name, declaration, version) : before.getSourceFile(name, version);
    const program = ts.createProgram([file], options, host);
    const source = program.getSourceFile(file)!;
    const [problem] = program.getSemanticDiagnostics(source);
    if (problem) throw new Error(ts.flattenDiagnosticMessageText(problem.messageText, "\n"));
    const checker = program.getTypeChecker();
    const aliases = source.statements.filter(ts.isTypeAliasDeclaration);
    return new Map(
      aliases.map(alias => [alias.name.text, new DeclaredType(checker, checker.getTypeAtLocation(alias))]),
    );
  }

  /** What of the value the type does not have, or has otherwise: each with its path. */
  problems(value: unknown): string[] {
    return this.problemsAt(value, this.type, "$");
  }

  private problemsAt(value: unknown, type: ts.Type, path: string): string[] {
    if (type.flags & (ts.TypeFlags.Any | ts.TypeFlags.Unknown)) return [];
    if (type.isUnion()) return this.problemsOfUnion(value, type, path);
    if (type.isStringLiteral() || type.isNumberLiteral())
      return type.value === value ? [] : [this.differs(value, type, path)];
    if (Array.isArray(value)) {
      const item = this.checker.getIndexTypeOfType(type, ts.IndexKind.Number);
      return item === undefined
        ? [this.differs(value, type, path)]
        : value.flatMap((inner, index) => this.problemsAt(inner, item, `${path}[${index}]`));
    }
    if (typeof value === "object" && value !== null) return this.problemsOfRecord(value, type, path);
    return this.checker.typeToString(this.checker.getBaseTypeOfLiteralType(type)) ===
      (value === null ? "null" : typeof value)
      ? []
      : [this.differs(value, type, path)];
  }

  /** Those of the member that fits best. */
  private problemsOfUnion(value: unknown, union: ts.UnionType, path: string): string[] {
    const types = union.types.filter(({ flags }) => !(flags & ts.TypeFlags.Undefined));
    const [best] = types
      .map(type => this.problemsAt(value, type, path))
      .sort((one, other) => depth(other) - depth(one));
    return types.some(type => this.problemsAt(value, type, path).length === 0) ? [] : best!;
  }

  private problemsOfRecord(value: object, type: ts.Type, path: string): string[] {
    if (!(type.flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection)) || this.checker.isArrayType(type))
      return [this.differs(value, type, path)];
    const others = this.checker.getIndexTypeOfType(type, ts.IndexKind.String);
    const missing = this.checker
      .getPropertiesOfType(type)
      .filter(({ flags, name }) => !(flags & ts.SymbolFlags.Optional) && !(name in value))
      .map(({ name }) => `${path}.${name} is missing`);
    const wrong = Object.entries(value).flatMap(([key, inner]) => {
      const property = this.checker.getPropertyOfType(type, key);
      const expected = property ? this.checker.getTypeOfSymbol(property) : others;
      return expected === undefined
        ? [`${path}.${key} is unknown`]
        : this.problemsAt(inner, expected, `${path}.${key}`);
    });
    return [...missing, ...wrong];
  }

  private differs(value: unknown, type: ts.Type, path: string): string {
    return `${path} is ${JSON.stringify(value)}, not ${this.checker.typeToString(type)}`;
  }
}

/** How far a value got before it differed: the longest path. */
function depth(problems: readonly string[]): number {
  return problems.length === 0 ? Infinity : Math.min(...problems.map(text => text.split(" ")[0]!.length));
}
