/** A value under a name in a configuration file. */
export interface Assignment {
  name: string;
  value: string;
  /** From 1. */
  line: number;
}

/** Longer lines are data or code made by a program, not configuration that a person wrote. */
const longestConfigurationLine = 2000;
/** `name: value`, `name = "value"`, `- name: value`, `export name=value`, in whatever language. */
const assignment =
  /^\s{0,200}(?:export\s{1,4}|set\s{1,4}|ENV\s{1,4}|-\s{1,4})?["']?([A-Za-z_][\w.-]{0,100})["']?\s{0,20}(?:=>|[:=])\s{0,20}(.*)$/;
/** `"name": "value"` anywhere in a line of JSON. */
const jsonMember = /"([A-Za-z_][\w.-]{0,100})"\s{0,5}:\s{0,5}"((?:[^"\\]|\\.){0,1000})"/g;
/** `{ name: value, other: value }`, as YAML has it. */
const flowMember =
  /[{,]\s{0,10}["']?([A-Za-z_][\w.-]{0,100})["']?\s{0,5}:\s{1,5}(?:"([^"]{0,500})"|'([^']{0,500})'|([^,{}[\]"'\n]{1,500}))/g;
/** `name = "value"` anywhere in a line, in quotes and with or without a bracket: keyword arguments, blocks of HCL, arrays of PHP. */
const quotedMember = /([A-Za-z_][\w.-]{0,100})["']?\]?\s{0,5}(?:=>?|:)\s{0,5}(["'])((?:(?!\2)[^\n]){1,500})\2/g;
/** `define("NAME", "value")`. */
const definition = /\bdefine\(\s{0,5}["']([A-Za-z_]\w{0,100})["']\s{0,5},\s{0,5}["']([^"'\n]{1,500})["']/g;
/** `name: |` and `name: >-`, whose value is on the lines below. */
const blockScalar = /^(\s{0,200})(?:-\s{1,4})?["']?([A-Za-z_][\w.-]{0,100})["']?:\s{1,20}[|>][-+\d]{0,2}\s{0,20}$/;
/** `<name>value</name>`. */
const xmlElement = /<([A-Za-z_][\w.:-]{0,100})(?:\s[^<>]{0,300})?>\s{0,20}([^<>\s][^<>\n]{0,500}?)\s{0,20}<\/\1>/g;
/** `name="value"` within a tag. */
const xmlAttribute = /\s([A-Za-z_][\w.:-]{0,100})=(?:"([^"<\n]{0,500})"|'([^'<\n]{0,500})')/g;

/** Everything that a text assigns, in the order of its lines. A name and a value in members of their own (`name: X`, `value: y`) are an assignment too. */
export function* assignmentsIn(text: string): Generator<Assignment> {
  let pending: { name: string; line: number } | undefined;
  const lines = text.split("\n");
  for (const [index, written] of lines.entries()) {
    if (written.length > longestConfigurationLine || !/[:=<,]/.test(written)) continue;
    // JSON within JSON has its quotes escaped.
    const content = written.replaceAll('\\"', '"');
    const line = index + 1;
    const inBlock = blockUnder(lines, index);
    if (inBlock) yield { ...inBlock, line };
    for (const [name, value] of membersOf(content)) {
      yield { name, value, line };
      if (/^(?:name|key)$/i.test(name)) pending = { name: value, line };
      else if (/^value$/i.test(name) && pending && line - pending.line <= 2) yield { name: pending.name, value, line };
    }
  }
}

/** A value of one line in a block below its name: longer ones are texts. */
function blockUnder(lines: readonly string[], index: number): { name: string; value: string } | undefined {
  const [, indentation, name] = blockScalar.exec(lines[index]!) ?? [];
  if (name === undefined) return undefined;
  const isInside = (line: string | undefined) =>
    line !== undefined && /\S/.test(line) && line.search(/\S/) > indentation!.length;
  const value = lines[index + 1];
  return isInside(value) && !isInside(lines[index + 2]) ? { name, value: value!.trim() } : undefined;
}

function membersOf(line: string): [string, string][] {
  const found: [string, string][] = [];
  const add = (form: RegExp) => {
    for (const [, name, ...values] of line.matchAll(form)) {
      found.push([name!, (values.find(value => value !== undefined) ?? "").trim()]);
    }
  };
  add(jsonMember);
  add(definition);
  for (const [, name, , value] of line.matchAll(quotedMember)) found.push([name!, value!.trim()]);
  if (/[{,]\s*\S+\s*:\s/.test(line)) add(flowMember);
  if (line.includes("<")) {
    add(xmlElement);
    if (/<[A-Za-z][^<]*=/.test(line)) add(xmlAttribute);
  }
  const [, name, rest] = assignment.exec(line) ?? [];
  if (name !== undefined && rest !== undefined) found.push([name, unquoted(rest)]);
  return found;
}

/** The value of an assignment without quotes, a trailing comma or a comment. */
function unquoted(rest: string): string {
  const [, , quoted] = /^(["'])(.*?)\1/.exec(rest) ?? [];
  return quoted ?? rest.replace(/(?:^|\s)#.*$/, "").replace(/[,;]?\s{0,20}$/, "");
}
