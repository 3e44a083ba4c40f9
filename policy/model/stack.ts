import { Field, NotYetKnown } from "./field";
import { withPatches } from "./patches";
import { type PlainResource } from "./resource";

/** How resources of one kind name a resource of another: a bucket's versioning names its bucket in `bucket`. Declared once each, so that a stack looks them up once. */
export interface Relation {
  from: (type: string) => boolean;
  /** The field that names the other resource. */
  by: (from: Field) => Field;
  to: (type: string) => boolean;
  /** The field of the other resource that has its name. */
  named: (to: Field) => Field;
}

/** What a relation makes of a stack: who names whom, and who may turn out to. */
interface Related {
  known: Map<Field, Field[]>;
  /** Those that name nobody yet, with the resources that they may come to name; undefined for any. */
  open: { reference: Field; among: Field[] | undefined }[];
}

/** All resources of a program, with the questions that checks ask about several of them. */
export class Stack {
  readonly resources: readonly Field[];
  private readonly byUrn = new Map<string, Field>();
  private readonly byType = new Map<string, Field[]>();
  private readonly derived = new Map<(stack: Stack) => unknown, unknown>();
  private readonly relations = new Map<Relation, Related>();

  constructor(resources: readonly PlainResource[]) {
    this.resources = withPatches(resources).map(resource => Field.of(resource));
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
   * The resources that name `target`.
   * @throws NotYetKnown when none does and one may.
   */
  related(relation: Relation, target: Field): Field[] {
    let related = this.relations.get(relation);
    if (!related) this.relations.set(relation, (related = this.relate(relation)));
    const known = related.known.get(target);
    if (known) return known;
    const open = related.open.find(({ among }) => !among || among.includes(target));
    if (open) throw new NotYetKnown(open.reference.resource.urn, open.reference.path);
    return [];
  }

  /** Takes time in the sum of both kinds, not in their product: programs have thousands of resources. */
  private relate({ from, by, to, named }: Relation): Related {
    const candidates = this.where(to);
    const isCandidate = new Set(candidates);
    const byName = new Map<string, Field[]>();
    const nameless = new Set<Field>();
    for (const candidate of candidates) {
      const name = knownText(named(candidate));
      if (name === undefined) nameless.add(candidate);
      else push(byName, name, candidate);
    }
    const related: Related = { known: new Map(), open: [] };
    for (const source of this.where(from)) {
      const reference = by(source);
      const name = knownText(reference);
      const dependsOn = this.dependenciesAmong(source, isCandidate);
      const only = dependsOn.length === 1 ? dependsOn[0]! : undefined;
      const targets =
        name === undefined
          ? [only].filter(target => target !== undefined)
          : [...(byName.get(name) ?? []), ...(only && nameless.has(only) ? [only] : [])];
      for (const target of targets) push(related.known, target, source);
      if (targets.length === 0 && reference.firstUnknown)
        related.open.push({ reference, among: dependsOn.length > 1 ? dependsOn : undefined });
    }
    return related;
  }

  private dependenciesAmong({ resource }: Field, candidates: { has(candidate: Field): boolean }): Field[] {
    const found = resource.dependencies.map(urn => this.byUrn.get(urn));
    return [...new Set(found.filter(field => field !== undefined && candidates.has(field)))] as Field[];
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
    const dependsOn = this.dependenciesAmong(reference, { has: candidate => candidates.includes(candidate) });
    if (dependsOn.length === 1) return dependsOn[0] === target;
    if (reference.firstUnknown) throw new NotYetKnown(reference.resource.urn, reference.path);
    return false;
  }
}

function knownText(field: Field): string | undefined {
  return field.firstUnknown ? undefined : field.text;
}

function push<Key>(map: Map<Key, Field[]>, key: Key, field: Field): void {
  const present = map.get(key);
  if (present) present.push(field);
  else map.set(key, [field]);
}
