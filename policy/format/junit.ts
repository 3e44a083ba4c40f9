import { type Check, Level } from "../check";
import { type JudgedFinding, Status, type Verdict } from "../judge";

/**
 * A verdict as JUnit XML, for the test reports of CI systems: a suite for each group of policies, a case for each policy. Mandatory violations are failures; advisory
 * ones, what is not yet known and what is exempted are `skipped` with the reason, so that they are seen and do not break the build.
 */
export function asJunit(verdict: Verdict, checks: readonly Check[]): string {
  const named = new Map<string, JudgedFinding[]>();
  for (const finding of verdict.findings) named.set(finding.policy, [...(named.get(finding.policy) ?? []), finding]);
  const suites = new Map<string, string[]>();
  for (const { id, group } of checks) {
    suites.set(group, [...(suites.get(group) ?? []), caseOf(id, group, named.get(id) ?? [])]);
    named.delete(id);
  }
  for (const [id, findings] of named) suites.set(id, [caseOf(id, id, findings)]);
  if (verdict.notJudged.length > 0) {
    const cases = verdict.notJudged.map(({ resourceName, resourceType, reason }) =>
      element("testcase", { classname: "policies.not judged", name: `${resourceName} (${resourceType})` }, [
        element("skipped", { message: `could not be judged, since ${reason}` }, []),
      ]),
    );
    suites.set("not judged", cases);
  }
  const elements = [...suites].map(([name, cases]) =>
    element(
      "testsuite",
      {
        name: `policies: ${name}`,
        tests: cases.length,
        failures: count(cases, "<failure"),
        skipped: count(cases, "<skipped"),
      },
      cases,
    ),
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element("testsuites", { name: "tidesql policies" }, elements)}\n`;
}

function caseOf(id: string, group: string, findings: readonly JudgedFinding[]): string {
  const failures = findings.filter(({ status, level }) => status === Status.violation && level !== Level.advisory);
  const others = findings.filter(finding => !failures.includes(finding));
  const children =
    failures.length > 0
      ? [
          element("failure", { message: `${failures.length} violations`, type: "mandatory" }, [
            escaped(failures.map(said).join("\n")),
          ]),
        ]
      : others.length > 0
        ? [element("skipped", { message: others.map(said).join("\n") }, [])]
        : [];
  return element("testcase", { classname: `policies.${group}`, name: id }, children);
}

function said({ status, resourceName, message, why, wayOut, exemption, place }: JudgedFinding): string {
  const at = place ? ` (${place.file}:${place.line})` : "";
  const about = resourceName === "" ? "" : `${resourceName}${at}: `;
  if (status === Status.exempted)
    return `${about}${message} Exempted until ${exemption?.expires}: ${exemption?.reason}`;
  return status === Status.notYetKnown ? `${about}${message}` : `${about}${message} ${why} Write: ${wayOut}`;
}

function count(cases: readonly string[], tag: string): number {
  return cases.filter(text => text.includes(tag)).length;
}

function element(name: string, attributes: Record<string, string | number>, children: readonly string[]): string {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${escaped(String(value))}"`);
  const open = `<${name}${written.join("")}`;
  return children.length === 0 ? `${open}/>` : `${open}>\n${children.join("\n")}\n</${name}>`;
}

/** Also without control characters, which XML cannot hold. */
function escaped(text: string): string {
  const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "&#10;" };
  return text.replaceAll(/[^\P{Cc}\t\n\r]/gu, "").replaceAll(/[&<>"\n]/g, character => entities[character]!);
}
