import { type Check, type Configuration, type Finding, isStackCheck, Level } from "./check";
import { checks as packChecks } from "./checks";
import { type CheckSetting, type PackConfiguration, settingOf } from "./configuration";
import { covers, type Exemption, exemptionFault } from "./exemption";
import { type Field, NotYetKnown } from "./model/field";
import { type PlainResource, plainResource, type RawResource } from "./model/resource";
import { Stack } from "./model/stack";
import { overlaid, Preset, presetConfiguration } from "./preset";

/** How one finding counts. */
export const Status = {
  /** The rule is broken. */
  violation: "violation",
  /** The rule cannot be judged before the update; it is judged then. */
  notYetKnown: "notYetKnown",
  /** The rule is broken with leave. */
  exempted: "exempted",
} as const;
export type Status = (typeof Status)[keyof typeof Status];

/** A finding with the policy and the resource that it belongs to. */
export interface JudgedFinding extends Required<Finding> {
  policy: string;
  level: Level;
  status: Status;
  /** Empty for a finding about the configuration of the pack. */
  urn: string;
  resourceName: string;
  resourceType: string;
  /** The policy's reason, one sentence. */
  why: string;
  /** The reason that was given for the exemption, and its last day. */
  exemption?: Pick<Exemption, "reason" | "expires">;
  /** Where it is written, relative to the program's folder, where that can be told. */
  place?: { file: string; line: number };
}

/** A part of a program whose resources nobody saw, so that no policy could judge them. */
export interface NotJudged {
  urn: string;
  resourceName: string;
  resourceType: string;
  /** Why, as the end of a sentence. */
  reason: string;
}

/** The pack's opinion of a program. */
export interface Verdict {
  findings: JudgedFinding[];
  /** Parts of the program that could not be judged: silence about them is no pass. */
  notJudged: NotJudged[];
  /** Violations of mandatory policies: a deployment with any is refused. */
  mandatory: number;
  /** Violations of advisory policies. */
  advisory: number;
  notYetKnown: number;
  exempted: number;
  /** How often a policy that is not disabled looked at a resource and was content. */
  passed: number;
  policies: number;
  resources: number;
}

/** How to judge. */
export interface JudgeOptions {
  /** Default `production`. */
  preset?: Preset;
  /** Laid over the preset. */
  configuration?: PackConfiguration;
  /** In addition to those in the configuration. */
  exemptions?: readonly Exemption[];
  /** `YYYY-MM-DD`: decides about exemptions and about versions out of support. */
  today: string;
  /** Default: the whole pack. */
  checks?: readonly Check[];
}

/** The id under which faults of exemptions are reported. */
export const exemptionPolicyId = "exemptions";

/** Why exemptions end. */
export const exemptionWhy = "An exemption without an end is a rule that nobody follows any more.";

/** Judges a program. Pure: the same resources, options and day give the same verdict. */
export function judge(resources: readonly RawResource[], options: JudgeOptions): Verdict {
  const { preset = Preset.production, configuration = {}, exemptions = [], today, checks = packChecks } = options;
  const settings = overlaid(presetConfiguration(preset, checks), configuration);
  const stack = new Stack(resources.map(resource => plainResource(resource)));
  const findings: JudgedFinding[] = [];
  const used = new Set<Exemption>();
  const declared: Exemption[] = [...exemptions];
  let passed = 0;
  let policies = 0;

  for (const check of checks) {
    const setting = settingOf(check, settings);
    declared.push(...setting.exemptions);
    if (setting.level === Level.disabled) continue;
    policies += 1;
    const leave = [...exemptions, ...setting.exemptions];
    for (const subject of stack.resources) {
      if (!check.applies(subject.resource.type)) continue;
      const found = opinion(check, subject, { ...setting, exemptions: leave }, today, stack);
      if (found.length === 0) passed += 1;
      for (const finding of found) findings.push(judged(check, setting.level, subject, finding));
    }
    for (const exemption of leave) {
      if (stack.resources.some(({ resource }) => covers(exemption, check.id, resource))) used.add(exemption);
    }
  }

  for (const exemption of declared) {
    const fault = exemptionFault(exemption, today);
    if (fault) findings.push(exemptionFinding(exemption, Level.mandatory, fault));
    else if (!used.has(exemption)) {
      const unused = { message: "covers no resource of this program", wayOut: "delete it" };
      findings.push(exemptionFinding(exemption, Level.advisory, unused));
    }
  }
  return { findings, notJudged: [], passed, policies, resources: stack.resources.length, ...counts(findings) };
}

/** A finding before it is known at which level it counts. */
export interface Opinion extends Required<Finding> {
  status: Status;
  exemption?: Pick<Exemption, "reason" | "expires">;
}

/** The exemption that gives this resource leave to break this check on this day, if there is one. */
export function exemptionOf(
  check: Check,
  resource: PlainResource,
  { exemptions }: CheckSetting,
  today: string,
): Exemption | undefined {
  return exemptions.find(
    exemption => covers(exemption, check.id, resource) && exemptionFault(exemption, today) === undefined,
  );
}

/** What one check says about one resource: nothing when it is content. Never throws: what cannot be read is not yet known. */
export function opinion(check: Check, subject: Field, setting: CheckSetting, today: string, stack: Stack): Opinion[] {
  const found: Opinion[] = [];
  const leave = exemptionOf(check, subject.resource, setting, today);
  const broken = leave
    ? { status: Status.exempted, exemption: { reason: leave.reason, expires: leave.expires } }
    : { status: Status.violation };
  const configuration: Configuration = { ...setting.configuration, today };
  try {
    const violations = isStackCheck(check)
      ? check.evaluateInStack(subject, configuration as never, stack)
      : check.evaluate(subject, configuration as never);
    for (const finding of violations) found.push({ wayOut: check.fix, ...finding, ...broken });
  } catch (error) {
    if (!(error instanceof NotYetKnown)) throw error;
    found.push({
      status: Status.notYetKnown,
      path: error.path,
      message: `cannot be judged yet: ${error.path || "the resource"}: ${error.reason}`,
      wayOut: "nothing to do now: it is judged during the update, or write a value that is known beforehand",
    });
  }
  return found;
}

function judged(check: Check, level: Level, { resource }: Field, finding: Opinion): JudgedFinding {
  return {
    policy: check.id,
    level,
    urn: resource.urn,
    resourceName: resource.name,
    resourceType: resource.type,
    why: check.why,
    ...finding,
  };
}

function exemptionFinding(
  exemption: Exemption,
  level: Level,
  fault: { message: string; wayOut: string },
): JudgedFinding {
  return {
    policy: exemptionPolicyId,
    level,
    status: Status.violation,
    urn: "",
    resourceName: "",
    resourceType: "",
    path: "",
    message: `The exemption of ${exemption.resource} from ${exemption.policy} ${fault.message}.`,
    wayOut: fault.wayOut,
    why: exemptionWhy,
  };
}

function counts(
  findings: readonly JudgedFinding[],
): Pick<Verdict, "mandatory" | "advisory" | "notYetKnown" | "exempted"> {
  const violations = findings.filter(({ status }) => status === Status.violation);
  const advisory = violations.filter(({ level }) => level === Level.advisory).length;
  return {
    mandatory: violations.length - advisory,
    advisory,
    notYetKnown: findings.filter(({ status }) => status === Status.notYetKnown).length,
    exempted: findings.filter(({ status }) => status === Status.exempted).length,
  };
}
