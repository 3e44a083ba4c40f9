import type { Diagnostic, PlannedResource, UnseenPart } from "./plan";
import { NotRendered } from "./notRendered";
import { qualifiedTypeOf } from "./registration";
import { answerOfProvider, asksProvider, isRendered, nameOfRendered, render, typeOfRendered } from "./rendering";
import { type PlannedRecord, type PlannedValue, Secret } from "./values";

/** What components, charts and releases make outside the program, as far as a plan can tell it, and the parts that it cannot. */
export class ComponentObjects {
  /** What the program makes and this plan cannot tell. */
  readonly unseen: UnseenPart[] = [];
  /** The calls of components for their objects, in their order, with the reason where there was no answer. The components themselves are registered later. */
  private readonly asked: { type: string; name?: string; reason?: string }[] = [];

  /** @param diagnostics takes a warning for each part that cannot be told */
  constructor(private readonly diagnostics: Diagnostic[]) {}

  /** The objects of a component that runs in a plugin, or of a release that the provider renders, as resources below it. */
  below(component: PlannedResource): PlannedResource[] {
    if (!isRendered(component.type)) {
      this.miss(component, "it runs in its own plugin");
      return [];
    }
    const { inputs, name, type, urn } = component;
    const prefix = typeof inputs.resourcePrefix === "string" ? inputs.resourcePrefix : name;
    try {
      return render(type, inputs, name).map(({ object, placeOf }) => {
        const own = objectBelow(component, object, prefix);
        const place = placeOf ?? component.placeOf;
        return { ...own, ...(place && { placeOf: place }) };
      });
    } catch (error) {
      if (!(error instanceof NotRendered)) throw error;
      this.miss({ urn, name, type }, error.message);
      return [];
    }
  }

  /**
   * How components of the provider's first version get their objects: the SDK asks for them, and registers them itself. What cannot be told here has none.
   * @throws NotRendered when no component can be named as the part that is missing
   */
  answer(token: string, given: PlannedRecord): PlannedRecord[] {
    const { componentType, name, objects } = answerOfProvider(token, given);
    if (componentType === undefined) return objects();
    const call: (typeof this.asked)[number] = { type: componentType, name };
    this.asked.push(call);
    try {
      return objects();
    } catch (error) {
      if (!(error instanceof NotRendered)) throw error;
      call.reason = error.message;
      return [];
    }
  }

  /** Ends the plan: says of which components the objects could not be told. One whose arguments are not known yet never asks for them. */
  missUnrendered(resources: Iterable<PlannedResource>): void {
    const left = [...this.asked];
    for (const resource of resources) {
      if (!asksProvider(resource.type)) continue;
      const index = left.findIndex(
        ({ type, name }) => type === resource.type && (name === undefined || name === resource.name),
      );
      const [call] = index < 0 ? [] : left.splice(index, 1);
      const reason = call ? call.reason : "its arguments are decided during the update";
      if (reason !== undefined) this.miss(resource, reason);
    }
  }

  private miss({ urn, name, type }: Pick<PlannedResource, "urn" | "name" | "type">, reason: string): void {
    this.unseen.push({ urn, name, type, reason });
    const message = `${name} (${type}): what it creates is not part of this plan, since ${reason}.`;
    this.diagnostics.push({ severity: "warning", message });
  }
}

/** A rendered object as a resource below its component, with the URN that the provider would give it. */
function objectBelow(component: PlannedResource, object: PlannedRecord, prefix: string): PlannedResource {
  const type = typeOfRendered(object);
  const name = nameOfRendered(object, prefix);
  const [, , stackAndProject] = /^(urn:pulumi:)(.*?::.*?)::/.exec(component.urn) ?? [];
  const inputs = type === "kubernetes:core/v1:Secret" ? withSecretData(object) : object;
  return {
    ...component,
    urn: `urn:pulumi:${stackAndProject}::${qualifiedTypeOf(type, component.urn)}::${name}`,
    type,
    name,
    parent: component.urn,
    inputs,
    outputs: inputs,
    options: { ...component.options, aliases: [] },
    propertyDependencies: {},
    custom: true,
    remote: false,
  };
}

/** The provider marks what a Secret holds as secret, however it was written. */
function withSecretData(object: PlannedRecord): PlannedRecord {
  const entries = Object.entries(object).map(([key, value]): [string, PlannedValue] =>
    key === "data" || key === "stringData" ? [key, new Secret(value)] : [key, value],
  );
  return Object.fromEntries(entries);
}
