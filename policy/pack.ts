import { type Check, isStackCheck, Level } from "./check";
import { checks as packChecks } from "./checks";
import { type CheckSetting, exemptionsSchema, type PackConfiguration, settingOf } from "./configuration";
import { type Exemption, exemptionFault } from "./exemption";
import { exemptionOf, exemptionPolicyId, exemptionWhy, opinion, type Opinion, Status } from "./judge";
import { Field } from "./model/field";
import { completed, type PlainResource, plainResource, type RawResource } from "./model/resource";
import { Stack } from "./model/stack";
import { repaired } from "./repaired";

/** A policy as the pack announces it to Pulumi. */
export interface Announced {
  name: string;
  description: string;
  level: Level;
  /** What Pulumi asks about it: one resource, or the program as a whole. */
  about: "resource" | "stack";
  /** The line to write instead, in general. */
  fix?: string;
  tags: string[];
  /** JSON schema of its configuration, by property. */
  configuration: Record<string, unknown>;
}

/** Something to tell the user about a resource, or about the stack. */
export interface Diagnostic {
  policy: string;
  description: string;
  /** `mandatory` or `advisory`: what is broken in spite of a repair is refused. */
  level: Level;
  message: string;
  /** The resource that it is about. None for a fault of the configuration. */
  urn?: string;
}

/** A policy that has nothing to say, which is not the same as being content. */
export interface NotApplicable {
  policy: string;
  reason: string;
}

/** The answer to one question of the engine. */
export interface Answer {
  diagnostics: Diagnostic[];
  notApplicable: NotApplicable[];
}

/** What one policy made of a resource's inputs, on the wire. */
export interface Remediation {
  policy: string;
  description: string;
  inputs: Record<string, unknown>;
}

/** A check with what it is asked to do. */
interface Configured {
  check: Check;
  setting: CheckSetting;
}

/** Reports at the level of advice what a policy of another level cannot judge yet, and the exemptions that are no longer good. */
const closing = {
  notYetKnown: "not-yet-known",
  notYetKnownInStack: "not-yet-known-in-stack",
  exemptions: exemptionPolicyId,
} as const;

/** The pack during one deployment: what Pulumi's engine asks, without the protocol in which it asks. Each question is answered for all policies at once. */
export class Pack {
  private configuration: PackConfiguration = {};
  private configured: Configured[];
  /** By URN: the inputs that Pulumi has shown, since it shows the outputs alone when it asks about the program. */
  private readonly inputs = new Map<string, unknown>();
  /** What `about` answered under the present configuration. */
  private readonly byType = new Map<string, readonly Configured[]>();

  /**
   * @param clock tells the day that exemptions and support end on. Default: the machine's
   * @param checks Default: all
   */
  constructor(
    private readonly clock: () => Date = () => new Date(),
    private readonly checks: readonly Check[] = packChecks,
  ) {
    this.configured = this.settings();
  }

  /** Every policy, in the order of the documentation; those that report on others come last. */
  get policies(): Announced[] {
    return [...this.checks.map(announced), ...closingPolicies];
  }

  /** Replaces the whole configuration. What is not in it has its default. */
  configure(configuration: PackConfiguration): void {
    this.configuration = configuration;
    this.configured = this.settings();
    this.byType.clear();
  }

  /** What the policies about single resources say about one. */
  analyze(raw: RawResource): Answer {
    this.inputs.set(raw.urn, raw.inputs);
    const resource = plainResource(raw);
    const subject = Field.of(resource);
    const stack = new Stack([resource]);
    const answer = emptyAnswer();
    for (const { check, setting } of this.about(resource.type)) {
      const found = opinion(check, subject, setting, this.today, stack);
      this.tell(answer, check, setting.level, resource.urn, found, closing.notYetKnown);
      if (isUndecided(found)) answer.notApplicable.push({ policy: check.id, reason: undecided });
    }
    return answer;
  }

  /** What the policies about the program say about it, and the exemptions that are no longer good: Pulumi asks last. */
  analyzeStack(raws: readonly RawResource[]): Answer {
    const stack = new Stack(raws.map(raw => plainResource(completed(raw, this.inputs.get(raw.urn)))));
    const answer = emptyAnswer();
    for (const { check, setting } of this.active(isStackCheck)) {
      const subjects = stack.resources.filter(({ resource }) => check.applies(resource.type));
      const found = subjects.flatMap(subject => {
        const opinions = opinion(check, subject, setting, this.today, stack);
        this.tell(answer, check, setting.level, subject.resource.urn, opinions, closing.notYetKnownInStack);
        return opinions;
      });
      const reason = subjects.length === 0 ? "the program has no resource that it judges" : undecided;
      if (subjects.length === 0 || isUndecided(found)) answer.notApplicable.push({ policy: check.id, reason });
    }
    this.tellOfExemptions(answer);
    return answer;
  }

  /** The repairs of the policies whose level is `remediate`, each made to what the one before it left. */
  remediate(raw: RawResource): Remediation[] {
    const made: Remediation[] = [];
    let inputs = raw.inputs;
    for (const { check, setting } of this.active(({ repair }) => repair !== undefined)) {
      if (setting.level !== Level.remediate || !check.applies(raw.type)) continue;
      const resource = plainResource({ ...raw, inputs });
      if (!this.isToRepair(check, setting, resource)) continue;
      const given = { ...setting.configuration, today: this.today };
      const result = repaired(inputs, check.repair!(Field.of(resource), given as never));
      if (!result) continue;
      inputs = result;
      made.push({ policy: check.id, description: check.description, inputs: result });
    }
    return made;
  }

  /** A rule about the program is not decided yet when Pulumi asks for repairs. */
  private isToRepair(check: Check, setting: CheckSetting, resource: PlainResource): boolean {
    if (isStackCheck(check)) return exemptionOf(check, resource, setting, this.today) === undefined;
    const found = opinion(check, Field.of(resource), setting, this.today, new Stack([resource]));
    return found.some(({ status }) => status === Status.violation);
  }

  /**
   * The policies about single resources that judge those of one type. Pulumi's engine is not told of the others, which have nothing against the resource either: a hundred names and reasons for each resource
   * would cost it time in every preview.
   */
  private about(type: string): readonly Configured[] {
    const known = this.byType.get(type);
    if (known) return known;
    const applicable = this.active(check => !isStackCheck(check)).filter(({ check }) => check.applies(type));
    this.byType.set(type, applicable);
    return applicable;
  }

  private settings(): Configured[] {
    return this.checks.map(check => ({ check, setting: settingOf(check, this.configuration) }));
  }

  private active(condition: (check: Check) => boolean): Configured[] {
    return this.configured.filter(({ check, setting }) => setting.level !== Level.disabled && condition(check));
  }

  /** `YYYY-MM-DD`. */
  private get today(): string {
    return this.clock().toISOString().slice(0, 10);
  }

  private tell(
    { diagnostics }: Answer,
    { id, description, why }: Check,
    setLevel: Level,
    urn: string,
    found: readonly Opinion[],
    pending: keyof typeof closingDescriptions,
  ): void {
    const level = setLevel === Level.remediate ? Level.mandatory : setLevel;
    for (const { status, message, wayOut } of found) {
      if (status === Status.violation) {
        diagnostics.push({ policy: id, description, level, message: violationText(message, why, wayOut), urn });
      } else if (status === Status.notYetKnown && this.levelOf(pending) !== Level.disabled) {
        const about = { policy: pending, description: closingDescriptions[pending], level: this.levelOf(pending), urn };
        diagnostics.push({ ...about, message: `${id} ${message}.` });
      }
    }
  }

  private tellOfExemptions({ diagnostics }: Answer): void {
    const policy = closing.exemptions;
    const level = this.levelOf(policy);
    if (level === Level.disabled) return;
    for (const exemption of this.configured.flatMap(({ setting }) => setting.exemptions)) {
      const fault = exemptionFault(exemption, this.today);
      if (!fault) continue;
      const message = violationText(exemptionText(exemption, fault.message), exemptionWhy, fault.wayOut);
      diagnostics.push({ policy, description: closingDescriptions[policy], level, message });
    }
  }

  private levelOf(policy: keyof typeof closingDescriptions): Level {
    const setting = this.configuration[policy];
    const level = typeof setting === "string" ? setting : setting?.enforcementLevel;
    return level ?? closingLevels[policy];
  }
}

const undecided = "cannot be judged before the update";

const closingDescriptions = {
  [closing.notYetKnown]: "Reports what cannot be judged before the update.",
  [closing.notYetKnownInStack]: "Reports what cannot be judged before the update.",
  [closing.exemptions]: "Every exemption has a reason and an expiry date, and that date has not passed.",
};

const closingLevels = {
  [closing.notYetKnown]: Level.advisory,
  [closing.notYetKnownInStack]: Level.advisory,
  [closing.exemptions]: Level.mandatory,
};

const closingPolicies: readonly Announced[] = Object.values(closing).map(name => ({
  name,
  description: closingDescriptions[name],
  level: closingLevels[name],
  about: name === closing.notYetKnown ? "resource" : "stack",
  tags: [],
  configuration: {},
}));

/** Pulumi shows the description above each violation, so that the reason is left to those. */
function announced(check: Check): Announced {
  const { id, description, fix, level, group, configuration } = check;
  return {
    name: id,
    description,
    level,
    about: isStackCheck(check) ? "stack" : "resource",
    fix,
    tags: [group],
    configuration: { ...(configuration as object | undefined), exemptions: exemptionsSchema },
  };
}

function emptyAnswer(): Answer {
  return { diagnostics: [], notApplicable: [] };
}

function exemptionText({ resource, policy }: Exemption, message: string): string {
  return `The exemption of ${resource} from ${policy} ${message}.`;
}

/** What is wrong, why it matters, and what to write instead. */
function violationText(message: string, why: string, wayOut: string): string {
  return `${message} ${why}\nWrite: ${wayOut}`;
}

function isUndecided(found: readonly Opinion[]): boolean {
  return (
    found.some(({ status }) => status === Status.notYetKnown) &&
    !found.some(({ status }) => status === Status.violation)
  );
}
