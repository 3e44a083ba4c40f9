import type {
  Policies,
  Policy,
  PolicyResource,
  ReportViolation,
  ResourceValidationArgs,
  ResourceValidationPolicy,
  StackValidationPolicy,
} from "@pulumi/policy";
import { type Check, isStackCheck, Level, type ResourceCheck } from "./check";
import { checks as packChecks } from "./checks";
import { type CheckSetting, exemptionsSchema, type PolicyConfiguration, settingOf } from "./configuration";
import { type Exemption, exemptionFault } from "./exemption";
import { exemptionPolicyId, exemptionOf, exemptionWhy, type Opinion, opinion, Status } from "./judge";
import { Field } from "./model/field";
import { type PlainResource, plainResource } from "./model/resource";
import { Stack } from "./model/stack";
import { inputsOf, repaired, secretPathsOf } from "./wire";

/** What the pack learns during one deployment, from one question of the engine to the next. */
class Deployment {
  /** What is a secret, by URN. The engine tells it to remediations only, which it asks before everything else. */
  readonly secretPaths = new Map<string, readonly string[]>();
  /** What could not be judged, by the URN of the question: reported by a policy of its own, since a mandatory policy can report nothing that is not. */
  readonly notYetKnown = new Map<string, { policy: string; message: string; urn: string }[]>();
  /** Every exemption that some policy was configured with, until it is reported on. */
  private readonly exemptions = new Map<string, Exemption>();

  private currentStack: Stack | undefined;

  constructor(private readonly clock: () => Date) {}

  /** `YYYY-MM-DD`. */
  get today(): string {
    return this.clock().toISOString().slice(0, 10);
  }

  plain(
    { type, name, urn, props, opts }: ResourceValidationArgs | PolicyResource,
    dependencies: readonly string[],
  ): PlainResource {
    const raw = { type, name, urn, parent: opts.parent, inputs: inputsOf(props), dependencies };
    return plainResource({ ...raw, secretPaths: this.secretPaths.get(urn) }, this.secretPaths.has(urn));
  }

  /**
   * The program, for a policy that judges it as a whole. The SDK asks all of them in one turn of the event loop, each with a copy of the same resources: one is enough.
   */
  stack(resources: readonly PolicyResource[]): Stack {
    if (!this.currentStack) {
      setImmediate(() => (this.currentStack = undefined));
      const urns = (dependencies: readonly PolicyResource[]) => dependencies.map(({ urn }) => urn);
      this.currentStack = new Stack(resources.map(resource => this.plain(resource, urns(resource.dependencies))));
    }
    return this.currentStack;
  }

  setting(check: Check, configuration: PolicyConfiguration): CheckSetting {
    const setting = settingOf(check, { [check.id]: configuration });
    for (const exemption of setting.exemptions) this.exemptions.set(JSON.stringify(exemption), exemption);
    return setting;
  }

  /** Reports what an opinion says at the policy's level, and keeps the rest for the policies that report at another. */
  report(
    check: Check,
    question: string,
    urn: string,
    found: readonly Opinion[],
    reportViolation: ReportViolation,
  ): void {
    for (const { status, message, wayOut } of found) {
      if (status === Status.violation) reportViolation(violationText(message, check.why, wayOut), urn);
      if (status !== Status.notYetKnown) continue;
      const pending = this.notYetKnown.get(question) ?? [];
      pending.push({ policy: check.id, message, urn });
      this.notYetKnown.set(question, pending);
    }
  }

  /** Reports the exemptions that are no longer good: the last thing to be done. */
  reportExemptions(reportViolation: ReportViolation): void {
    for (const exemption of this.exemptions.values()) {
      const fault = exemptionFault(exemption, this.today);
      const subject = `The exemption of ${exemption.resource} from ${exemption.policy}`;
      if (fault) reportViolation(violationText(`${subject} ${fault.message}.`, exemptionWhy, fault.wayOut));
    }
    this.exemptions.clear();
  }

  reportNotYetKnown(question: string, reportViolation: ReportViolation): void {
    for (const { policy, message, urn } of this.notYetKnown.get(question) ?? [])
      reportViolation(`${policy} ${message}.`, urn);
    this.notYetKnown.delete(question);
  }
}

/** The question about the program as a whole, beside those about single resources. */
const wholeStack = "stack";

/** What is wrong, why it matters, and what to write instead. */
export function violationText(message: string, why: string, wayOut: string): string {
  return `${message} ${why}\nWrite: ${wayOut}`;
}

/** The policies that a Pulumi policy pack serves. One set is for one deployment. */
export function policies(clock: () => Date = () => new Date(), checks: readonly Check[] = packChecks): Policies {
  const deployment = new Deployment(clock);
  return [
    ...checks.map(check => (isStackCheck(check) ? stackPolicy(check, deployment) : resourcePolicy(check, deployment))),
    ...closingPolicies(deployment),
  ];
}

/** Pulumi shows the description above each violation, so that the reason is left to those. */
function describe({ id, description, fix, level, group, configuration }: Check): Policy {
  return {
    name: id,
    displayName: id,
    description,
    enforcementLevel: level,
    remediationSteps: fix,
    tags: [group],
    configSchema: { properties: { ...(configuration as object | undefined), exemptions: exemptionsSchema } },
  };
}

function resourcePolicy(check: Check & ResourceCheck<never>, deployment: Deployment): ResourceValidationPolicy {
  const policy: ResourceValidationPolicy = {
    ...describe(check),
    validateResource(args, reportViolation) {
      const setting = deployment.setting(check, args.getConfig<PolicyConfiguration>());
      if (!check.applies(args.type)) notApplicable(args, `does not judge resources of type ${args.type}`);
      const resource = deployment.plain(args, []);
      const found = opinion(check, Field.of(resource), setting, deployment.today, new Stack([resource]));
      deployment.report(check, args.urn, args.urn, found, reportViolation);
      if (isUndecided(found)) notApplicable(args, "cannot be judged before the update");
    },
  };
  if (check.repair) policy.remediateResource = args => remediate(check, args, deployment);
  return policy;
}

function remediate(check: Check, args: ResourceValidationArgs, deployment: Deployment) {
  deployment.secretPaths.set(args.urn, secretPathsOf(args.props));
  if (!check.repair || !check.applies(args.type)) return undefined;
  const setting = deployment.setting(check, args.getConfig<PolicyConfiguration>());
  const resource = deployment.plain(args, []);
  if (isStackCheck(check)) {
    if (exemptionOf(check, resource, setting, deployment.today)) return undefined;
  } else {
    const found = opinion(check, Field.of(resource), setting, deployment.today, new Stack([resource]));
    if (!found.some(({ status }) => status === Status.violation)) return undefined;
  }
  const given = { ...setting.configuration, today: deployment.today };
  const result = repaired(args.props, check.repair(Field.of(resource), given as never));
  if (result) deployment.secretPaths.set(args.urn, secretPathsOf(result));
  return result;
}

function stackPolicy(check: Check, deployment: Deployment): StackValidationPolicy {
  const policy: StackValidationPolicy & Pick<ResourceValidationPolicy, "remediateResource"> = {
    ...describe(check),
    validateStack(args, reportViolation) {
      const setting = deployment.setting(check, args.getConfig<PolicyConfiguration>());
      const subjects = args.resources.filter(({ type }) => check.applies(type));
      if (subjects.length === 0) notApplicable(args, "the program has no resource that it judges");
      const stack = deployment.stack(args.resources);
      const opinions = subjects.flatMap(({ urn }) => {
        const subject = stack.withUrn(urn);
        const found = subject ? opinion(check, subject, setting, deployment.today, stack) : [];
        deployment.report(check, wholeStack, urn, found, reportViolation);
        return found;
      });
      if (isUndecided(opinions)) notApplicable(args, "cannot be judged before the update");
    },
  };
  if (check.repair) policy.remediateResource = args => remediate(check, args, deployment);
  return policy;
}

/** Says so without a stack trace: most policies apply to few of the resources, and the traces would take longer than the judgements. */
function notApplicable(args: { notApplicable(reason?: string): never }, reason: string): never {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return args.notApplicable(reason);
  } finally {
    Error.stackTraceLimit = limit;
  }
}

function isUndecided(found: readonly Opinion[]): boolean {
  return (
    found.some(({ status }) => status === Status.notYetKnown) &&
    !found.some(({ status }) => status === Status.violation)
  );
}

/** Policies that come after all others and report what those could not. */
function closingPolicies(deployment: Deployment): Policies {
  const notYetKnown = {
    description: "Reports what cannot be judged before the update.",
    enforcementLevel: Level.advisory,
  };
  return [
    {
      ...notYetKnown,
      name: "not-yet-known",
      validateResource: (args, reportViolation) => deployment.reportNotYetKnown(args.urn, reportViolation),
    },
    {
      ...notYetKnown,
      name: "not-yet-known-in-stack",
      validateStack: (_args, reportViolation) => deployment.reportNotYetKnown(wholeStack, reportViolation),
    },
    {
      name: exemptionPolicyId,
      description: "Every exemption has a reason and an expiry date, and that date has not passed.",
      enforcementLevel: Level.mandatory,
      validateStack: (_args, reportViolation) => deployment.reportExemptions(reportViolation),
    },
  ];
}
