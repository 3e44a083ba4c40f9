import * as pulumi from "@pulumi/pulumi";
import { argumentsOf } from "../components/schema/names";
import { packageName, PackageSchema, packageSchema, schemaText } from "../components/schema/packageSchema";
import * as components from "../index";

type Construct = new (
  name: string,
  args: pulumi.Inputs,
  opts: pulumi.ComponentResourceOptions,
) => pulumi.ComponentResource & pulumi.Inputs;

/**
 * Makes the components for programs in other languages. It hands out the schema that is in the package, made by `npm run schema`: Pulumi's own host would compile the sources, AWS SDK and all,
 * at each start.
 */
export class ComponentProvider implements pulumi.provider.Provider {
  public readonly version: string;
  public readonly schema: string;
  private readonly parsed: PackageSchema;

  constructor() {
    this.schema = schemaText();
    this.parsed = packageSchema();
    this.version = this.parsed.version;
  }

  /**
   * Makes a component, as `new` does in a program of this language.
   * @throws pulumi.InputPropertiesError naming every argument that is wrong
   */
  construct(name: string, type: string, inputs: pulumi.Inputs, opts: pulumi.ComponentResourceOptions) {
    return Promise.resolve().then(() => this.make(name, type, inputs, opts));
  }

  private make(
    name: string,
    type: string,
    inputs: pulumi.Inputs,
    opts: pulumi.ComponentResourceOptions,
  ): pulumi.provider.ConstructResult {
    const resource = this.parsed.resources[type];
    if (resource === undefined) {
      const known = Object.keys(this.parsed.resources).join(", ");
      throw new Error(`${packageName} has no component "${type}": write one of ${known}`);
    }
    const className = type.split(":")[2] ?? "";
    const Component = components[className as keyof typeof components] as unknown as Construct;
    const made = new Component(name, argumentsOf(this.parsed, resource.inputProperties, inputs), opts);
    const state = Object.fromEntries(Object.keys(resource.properties).map(key => [key, made[key]]));
    return { urn: made.urn, state };
  }
}
