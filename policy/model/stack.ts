import { Field, NotYetKnown } from "./field";
import { type PlainResource } from "./resource";

/** All resources of a program, with the questions that checks ask about several of them. */
export class Stack {
  readonly resources: readonly Field[];
  private readonly byUrn = new Map<string, Field>();
  private readonly byType = new Map<string, Field[]>();
  private readonly derived = new Map<(stack: Stack) => unknown, unknown>();

  constructor(resources: readonly PlainResource[]) {
    this.resources = resources.map(resource => Field.of(resource));
    for (const field of this.resources) {
      const { urn, type } = field.resource;
      this.byUrn.set(urn, field);
      const sameType = this.byType.get(type);
      if (sameType) sameType.push(field);
      else this.byType.set(type, [field]);
    }
  }

  /** The resources whose type satisfies the condition, by type and in the program's order within each. */
  where(condition: (type: string) => boolean): Field[] {
    return [...this.byType].flatMap(([type, resources]) => (condition(type) ? resources : []));
  }

  withUrn(urn: string): Field | undefined {
    return this.byUrn.get(urn);
  }

  /** What a function finds in this stack, computed once: several checks share the same look at it. */
  once<T>(derive: (stack: Stack) => T): T {
    if (!this.derived.has(derive)) this.derived.set(derive, derive(this));
    return this.derived.get(derive) as T;
  }

  /**
   * Whether `reference` (say `bucket` of a bucket's versioning) names `target`, one of `candidates`. Two known values are compared; otherwise it is the one candidate
   * that the reference's resource depends on.
   * @throws NotYetKnown when neither decides it.
   */
  refersTo(reference: Field, target: Field, candidates: readonly Field[], nameOf: (target: Field) => Field): boolean {
    const referred = knownText(reference);
    const name = knownText(nameOf(target));
    if (referred !== undefined && name !== undefined) return referred === name;
    const dependsOn = candidates.filter(({ resource }) => reference.resource.dependencies.includes(resource.urn));
    if (dependsOn.length === 1) return dependsOn[0] === target;
    if (reference.firstUnknown) throw new NotYetKnown(reference.resource.urn, reference.path);
    return false;
  }
}

function knownText(field: Field): string | undefined {
  return field.firstUnknown ? undefined : field.text;
}
