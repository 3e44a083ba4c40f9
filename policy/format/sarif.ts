import { type Check, Level } from "../check";
import { type JudgedFinding, Status, type Verdict } from "../judge";

/** What a SARIF log says beside the verdict. */
export interface SarifContext {
  /** The file that findings are shown at, relative to the repository: a plan knows the resource, not the line that made it. */
  programFile: string;
  checks: readonly Check[];
}

/** A verdict as SARIF 2.1.0 (OASIS), for the code scanning of GitHub and others. */
export function asSarif(verdict: Verdict, { programFile, checks }: SarifContext): string {
  const results = verdict.findings.map(finding => resultOf(finding, programFile));
  const log = {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "tidesql policies",
            informationUri: "https://www.pulumi.com/docs/iac/packages-and-automation/crossguard/",
            rules: checks.map(ruleOf),
          },
        },
        invocations: [
          {
            executionSuccessful: true,
            toolExecutionNotifications: verdict.notJudged.map(({ resourceName, resourceType, reason, urn }) => ({
              level: "warning",
              message: { text: `${resourceName} (${resourceType}) could not be judged, since ${reason}.` },
              locations: [{ logicalLocations: [{ fullyQualifiedName: urn, kind: "resource" }] }],
            })),
          },
        ],
        results,
      },
    ],
  };
  return JSON.stringify(log, undefined, 2) + "\n";
}

function ruleOf({ id, description, why, group, level }: Check) {
  return {
    id,
    shortDescription: { text: description },
    fullDescription: { text: `${description} ${why}` },
    defaultConfiguration: { level: level === Level.advisory ? "warning" : "error" },
    properties: { tags: [group] },
  };
}

function resultOf(finding: JudgedFinding, programFile: string) {
  const { policy, status, level, message, why, wayOut, urn, path, exemption, place } = finding;
  return {
    ruleId: policy,
    kind: status === Status.notYetKnown ? "open" : "fail",
    level: status === Status.notYetKnown ? "none" : level === Level.advisory ? "warning" : "error",
    message: { text: status === Status.notYetKnown ? message : `${message} ${why} Write: ${wayOut}` },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: place?.file ?? programFile },
          region: { startLine: place?.line ?? 1 },
        },
        logicalLocations: [
          { fullyQualifiedName: urn === "" ? policy : `${urn}${path === "" ? "" : `#${path}`}`, kind: "resource" },
        ],
      },
    ],
    partialFingerprints: { "urnPathAndPolicy/v1": `${urn}#${path}#${policy}` },
    ...(exemption && {
      suppressions: [
        { kind: "external", status: "accepted", justification: `${exemption.reason} (until ${exemption.expires})` },
      ],
    }),
  };
}
